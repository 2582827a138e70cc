"""Google's SDK gives a model tools, runs what it calls, and gives it the results, while the model thinks.

    target/python/bin/python tests/clients/google_tools.py http://127.0.0.1:4000 MODEL

Nothing here knows which provider answers. What the model says goes back into the conversation as the SDK made it, with
the signatures of its thoughts.
"""

from google import genai
from google.genai import types

from check import arguments, holds, run

URL, MODEL = arguments()
client = genai.Client(api_key="anything", http_options=types.HttpOptions(base_url=URL))

WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="The weather in a city, now.",
            parameters=types.Schema(
                type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}, required=["city"]
            ),
        )
    ]
)
ONE = "What is the weather in Paris?"
TWO = "Ask in parallel: what is the weather in Paris and in Oslo?"
REPORTS = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow"}
THINKING = types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)


def config(**options):
    automatic = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(
        tools=[WEATHER], automatic_function_calling=automatic, max_output_tokens=8000, **options
    )


def create(contents, **options):
    answer = client.models.generate_content(model=MODEL, contents=contents, config=config(**options))
    return [answer.candidates[0].content], answer


def stream(contents, **options):
    chunks = list(client.models.generate_content_stream(model=MODEL, contents=contents, config=config(**options)))
    said = [chunk.candidates[0].content for chunk in chunks]
    return [content for content in said if content and content.parts], chunks[-1]


def parts(said):
    return [part for content in said for part in content.parts]


def calls(said):
    return [part.function_call for part in parts(said) if part.function_call]


def text(said):
    return "".join(part.text for part in parts(said) if part.text and not part.thought)


def user(*parts):
    return types.Content(role="user", parts=list(parts))


def results(said, reports=REPORTS):
    def result(call):
        response = {"result": reports[call.args["city"]]}
        return types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response=response))

    return user(*(result(call) for call in reversed(calls(said))))


def loop(say, question, cities, **options):
    """A whole loop, and another one on top of it."""
    conversation = [user(types.Part(text=question))]
    for _ in range(2):
        said, _last = say(conversation, **options)
        assert [call.args["city"] for call in calls(said)] == cities, said
        assert len({call.id for call in calls(said)} - {None}) in (0, len(cities)), said
        conversation += [*said, results(said)]
        said, last = say(conversation, **options)
        assert last.candidates[0].finish_reason == types.FinishReason.STOP, last
        assert all(REPORTS[city] in text(said) for city in cities), said
        conversation += [*said, user(types.Part(text=question))]


@holds
def one_call_is_answered():
    loop(create, ONE, ["Paris"])


@holds
def calls_in_parallel_are_answered_together():
    loop(create, TWO, ["Paris", "Oslo"])


@holds
def a_streamed_call_comes_whole():
    loop(stream, ONE, ["Paris"])


@holds
def streamed_calls_in_parallel_come_whole():
    loop(stream, TWO, ["Paris", "Oslo"])


@holds
def thoughts_and_their_signatures_go_back():
    for say in (create, stream):
        loop(say, ONE, ["Paris"], thinking_config=THINKING)


@holds
def a_tool_is_forced_or_forbidden():
    def mode(mode, **names):
        calling = types.FunctionCallingConfig(mode=mode, **names)
        return {"tool_config": types.ToolConfig(function_calling_config=calling)}

    smalltalk = [user(types.Part(text="Good morning"))]
    for options in (mode("ANY"), mode("ANY", allowed_function_names=["get_weather"])):
        said, _last = create(smalltalk, **options)
        assert [call.name for call in calls(said)] == ["get_weather"], said
    said, _last = create([user(types.Part(text=ONE))], **mode("NONE"))
    assert calls(said) == [] and text(said), said


@holds
def the_sdk_calls_functions_by_itself():
    asked = []

    def get_weather(city: str) -> str:
        """The weather in a city, now."""
        asked.append(city)
        return REPORTS[city]

    answer = client.models.generate_content(
        model=MODEL, contents=ONE, config=types.GenerateContentConfig(tools=[get_weather])
    )
    assert asked == ["Paris"] and REPORTS["Paris"] in answer.text, answer


run()
