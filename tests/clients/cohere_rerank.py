"""Cohere's SDK asks for rankings, of version 2 of the API and of the first.

    target/cohere/bin/python tests/clients/cohere_rerank.py http://127.0.0.1:4000 MODEL…

Nothing here knows which provider answers.
"""

import cohere

from check import holds, raises, run, sidecar

options = {"api_key": "anything", "base_url": sidecar()}
CLIENTS = [cohere.ClientV2(**options), cohere.Client(**options)]
QUERY = "capital of Norway"
DOCUMENTS = ["Paris is in France", "Oslo is the capital of Norway", "Bergen is in Norway"]


@holds
def the_best_document_comes_first(model):
    for client in CLIENTS:
        ranked = client.rerank(model=model, query=QUERY, documents=DOCUMENTS)
        assert [result.index for result in ranked.results][0] == 1, ranked
        assert sorted(result.index for result in ranked.results) == [0, 1, 2], ranked
        scores = [result.relevance_score for result in ranked.results]
        assert scores == sorted(scores, reverse=True) and 0 <= scores[-1] <= scores[0] <= 1, ranked


@holds
def only_as_many_come_as_were_asked_for(model):
    for client in CLIENTS:
        ranked = client.rerank(model=model, query=QUERY, documents=DOCUMENTS, top_n=1)
        assert [result.index for result in ranked.results] == [1], ranked


@holds
def an_unknown_model_is_not_found(model):
    for client in CLIENTS:
        raises(cohere.NotFoundError, lambda: client.rerank(model="nobody", query=QUERY, documents=DOCUMENTS))


run()
