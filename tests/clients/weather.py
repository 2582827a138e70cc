"""What the applications ask about, and what their tools tell them."""

SAY = "Say the words lighthouse and harbour"
ONE = "What is the weather in Paris?"
TWO = "Ask in parallel: what is the weather in Paris and in Oslo?"
REPORTS = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow"}
