"""OpenAI's SDK asks for embeddings.

    target/python/bin/python tests/clients/openai_embeddings.py http://127.0.0.1:4000/v1 MODEL
"""

from openai import OpenAI

from check import arguments, holds, run

URL, MODEL = arguments()
client = OpenAI(base_url=URL, api_key="anything")


def embed(*texts, **options):
    return client.embeddings.create(model=MODEL, input=list(texts), **options)


@holds
def every_text_has_a_vector():
    answer = embed("lighthouse", "harbour", "lighthouse")
    assert [entry.index for entry in answer.data] == [0, 1, 2], answer.usage
    first, second, third = (entry.embedding for entry in answer.data)
    assert first == third != second
    assert len(first) == len(second) > 100
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0, answer.usage


@holds
def a_vector_is_the_same_in_numbers_and_in_base64():
    # The SDK itself asks for base64 and decodes it, unless told otherwise.
    packed, plain = embed("lighthouse"), embed("lighthouse", encoding_format="float")
    pairs = zip(packed.data[0].embedding, plain.data[0].embedding, strict=True)
    assert all(abs(left - right) < 1e-6 for left, right in pairs)


@holds
def a_vector_is_as_long_as_asked():
    assert len(embed("lighthouse", dimensions=64).data[0].embedding) == 64


run()
