"""LiteLLM as a library, before the same upstream."""

import copy
import gc
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS"] = "True"
os.environ["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE"
os.environ["AWS_SECRET_ACCESS_KEY"] = "secret"

import litellm  # noqa: E402

litellm.telemetry = False
litellm.suppress_debug_info = True
litellm.drop_params = True
litellm.num_retries = 0

# A stream that LiteLLM gives up halfway is closed by the garbage collector, and takes a lock for it that is held where
# connections are made, or waits for itself for ever: so nothing is collected but between two requests.
gc.disable()


def ask(model, base, body, more):
    """The answer as a plain value, or what was raised."""
    given = {key: copy.deepcopy(value) for key, value in body.items() if key != "model"}
    try:
        answer = litellm.completion(model=model, api_base=base, api_key="sk-up", timeout=30, max_retries=0, **more, **given)
        if not given.get("stream"):
            return answer.model_dump(), None
        chunks = [chunk for chunk in answer]
        return litellm.stream_chunk_builder(chunks).model_dump(), None
    except Exception as error:  # whatever it raises is its answer
        return None, f"{type(error).__name__}: {error}"
    finally:
        gc.collect()


def version():
    """Which LiteLLM it is."""
    import importlib.metadata

    return importlib.metadata.version("litellm")
