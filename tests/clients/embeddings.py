"""OpenAI's and Google's SDKs ask for embeddings.

    target/python/bin/python tests/clients/embeddings.py http://127.0.0.1:4000 MODEL…

Nothing here knows which provider answers.
"""

from google import genai
from google.genai import types
from openai import OpenAI

from check import holds, run, sidecar

openai = OpenAI(base_url=f"{sidecar()}/v1", api_key="anything")
google = genai.Client(api_key="anything", http_options=types.HttpOptions(base_url=sidecar()))


def embed(model, *texts, **options):
    return openai.embeddings.create(model=model, input=list(texts), **options)


def by_google(model, *texts, **options):
    config = types.EmbedContentConfig(**options)
    return google.models.embed_content(model=model, contents=list(texts), config=config).embeddings


def near(one, other):
    return all(abs(left - right) < 1e-6 for left, right in zip(one, other, strict=True))


@holds
def every_text_has_a_vector(model):
    answer = embed(model, "lighthouse", "harbour", "lighthouse")
    assert [entry.index for entry in answer.data] == [0, 1, 2], answer.usage
    first, second, third = (entry.embedding for entry in answer.data)
    assert first == third != second
    assert len(first) == len(second) > 100
    assert answer.usage.total_tokens >= answer.usage.prompt_tokens, answer.usage


@holds
def a_single_text_has_one(model):
    answer = openai.embeddings.create(model=model, input="lighthouse")
    assert near(answer.data[0].embedding, embed(model, "lighthouse").data[0].embedding)


@holds
def a_vector_is_the_same_in_numbers_and_in_base64(model):
    # The SDK itself asks for base64 and decodes it, unless told otherwise.
    packed, plain = embed(model, "lighthouse"), embed(model, "lighthouse", encoding_format="float")
    assert near(packed.data[0].embedding, plain.data[0].embedding)


@holds
def a_vector_is_as_long_as_asked(model):
    assert len(embed(model, "lighthouse", dimensions=64).data[0].embedding) == 64
    assert len(by_google(model, "lighthouse", output_dimensionality=64)[0].values) == 64


@holds
def google_s_sdk_gets_the_same_vectors(model):
    plain = [entry.embedding for entry in embed(model, "lighthouse", "harbour", encoding_format="float").data]
    theirs = [entry.values for entry in by_google(model, "lighthouse", "harbour")]
    assert len(plain) == len(theirs) == 2 and all(map(near, plain, theirs))


run()
