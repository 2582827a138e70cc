"""LangGraph: an agent that calls tools until it is done, and a supervisor who hands work to two others.

    target/langchain/bin/python tests/clients/langgraph_agents.py http://127.0.0.1:4000 MODEL…

Nothing here knows which provider answers.
"""

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_supervisor import create_supervisor

from check import holds, run, sidecar
from weather import ONE, REPORTS, TWO

URL = sidecar()


@tool
def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return REPORTS[city]


@tool
def add(left: int, right: int) -> int:
    """The sum of two numbers."""
    return left + right


def openai(model):
    return ChatOpenAI(model=model, base_url=f"{URL}/v1", api_key="anything", max_retries=0, reasoning_effort="low")


def anthropic(model, **options):
    return ChatAnthropic(model=model, base_url=URL, api_key="anything", max_retries=0, max_tokens=8000, **options)


def each(model):
    return [openai(model), anthropic(model, thinking={"type": "enabled", "budget_tokens": 2000})]


def user(text):
    return {"messages": [{"role": "user", "content": text}]}


def told(state):
    return state["messages"][-1].text


@holds
def an_agent_calls_tools_until_it_is_done(model):
    for llm in each(model):
        agent = create_agent(llm, [get_weather], system_prompt="You know the weather.")
        for question, cities in ((ONE, ["Paris"]), (TWO, ["Paris", "Oslo"])):
            state = agent.invoke(user(question))
            assert all(REPORTS[city] in told(state) for city in cities), state
            results = [message for message in state["messages"] if isinstance(message, ToolMessage)]
            assert len(results) == len(cities), state


@holds
def an_agent_remembers_its_thread(model):
    for llm in each(model):
        agent = create_agent(llm, [get_weather], checkpointer=InMemorySaver())
        thread = {"configurable": {"thread_id": "1"}}
        for turn in range(2):
            state = agent.invoke(user(ONE), thread)
            assert REPORTS["Paris"] in told(state), state
            assert len(state["messages"]) == 4 * (turn + 1), state


@holds
def an_agent_is_watched_word_by_word(model):
    for llm in each(model):
        agent = create_agent(llm, [get_weather])
        pieces = [chunk for chunk, _ in agent.stream(user(TWO), stream_mode="messages")]
        text = "".join(piece.text for piece in pieces if isinstance(piece, AIMessage))
        assert len(pieces) > 4 and all(report in text for report in REPORTS.values()), text


@holds
def a_supervisor_hands_work_to_two_others(model):
    # The turns that it makes up itself have no thinking, which Anthropic insists on where there is any.
    for llm in (openai(model), anthropic(model)):
        forecaster = create_agent(llm, [get_weather], name="forecaster", system_prompt="You know the weather.")
        accountant = create_agent(llm, [add], name="accountant", system_prompt="You add numbers.")
        team = create_supervisor([forecaster, accountant], model=llm, prompt="You lead two others.").compile()
        for name in ("forecaster", "accountant"):
            state = team.invoke(user(f"Please use transfer_to_{name} for this"))
            speakers = [message.name for message in state["messages"] if isinstance(message, AIMessage)]
            assert name in speakers and speakers[-1] == "supervisor", state
            assert told(state), state


run()
