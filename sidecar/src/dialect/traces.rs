//! What a provider's own tools left behind in a conversation: searches, fetched pages, code that it ran. They are past,
//! and what the model made of them is said in words, so that another provider goes on without them. Calls of the
//! client's tools are no such traces.

use super::item::{Item, Part, Role};
use super::loss::Ledger;

/// Why they are left out.
pub(super) const WHY: &str = "a provider's own tool ran there, and what came of it is in the words that follow";

/// The types of items, blocks and parts that are traces.
const TRACES: &[&str] = &[
    // Responses.
    "code_interpreter_call",
    "file_search_call",
    "mcp_call",
    "mcp_list_tools",
    "web_search_call",
    // Messages.
    "bash_code_execution_tool_result",
    "code_execution_tool_result",
    "mcp_tool_result",
    "mcp_tool_use",
    "server_tool_use",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "web_fetch_tool_result",
    "web_search_tool_result",
    // Gemini.
    "codeExecutionResult",
    "executableCode",
    "toolCall",
    "toolResponse",
];

/// Something of this type is a trace.
pub(super) fn is_trace(kind: &str) -> bool {
    TRACES.contains(&kind)
}

/// Takes the traces out, and names each.
pub(super) fn leave_out(items: &mut Vec<Item<'_>>, ledger: &mut Ledger) {
    items.retain(|item| {
        let is_left_out = item.role == Role::Assistant && matches!(&item.part, Part::Raw(kind) if is_trace(kind));
        if is_left_out {
            ledger.hint(item.field(), WHY);
        }
        !is_left_out
    });
}
