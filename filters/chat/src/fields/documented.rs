//! The documented fields of each API (OpenAI's and Anthropic's references, and
//! what Cohere's and Jina's rerankers have in common; 2026), each list in the order
//! of its bytes.
//!
//! Left out is what uses what the engine keeps in ways that no value makes
//! harmless (`background_options`), and what asks for rights that belong to whoever
//! runs the engine (`access_programs`).

use crate::path::Api;

const CHAT: [&str; 37] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

const COMPLETIONS: [&str; 18] = [
    "best_of",
    "echo",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "model",
    "n",
    "presence_penalty",
    "prompt",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "suffix",
    "temperature",
    "top_p",
    "user",
];

const EMBEDDINGS: [&str; 5] = ["dimensions", "encoding_format", "input", "model", "user"];

const RESPONSES: [&str; 32] = [
    "background",
    "context_management",
    "conversation",
    "image",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const MESSAGES: [&str; 22] = [
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "output_format",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];

const RERANK: [&str; 9] = [
    "documents",
    "max_chunks_per_doc",
    "max_tokens_per_doc",
    "model",
    "query",
    "rank_fields",
    "return_documents",
    "top_n",
    "user",
];

const ALL: [&[&str]; 6] = [&CHAT, &COMPLETIONS, &EMBEDDINGS, &RESPONSES, &MESSAGES, &RERANK];

/// The documented fields of an API, in the order of their bytes; none of one that
/// takes no JSON.
pub(super) fn of(api: &Api<'_>) -> &'static [&'static str] {
    match api {
        Api::Chat => &CHAT,
        Api::Completions => &COMPLETIONS,
        Api::Embeddings => &EMBEDDINGS,
        Api::Responses => &RESPONSES,
        Api::Messages => &MESSAGES,
        Api::Rerank => &RERANK,
        Api::Transcriptions | Api::Models | Api::Model(_) => &[],
    }
}

/// The name itself, if it is a field of any of them.
pub(super) fn find(name: &str) -> Option<&'static str> {
    ALL.iter().find_map(|list| {
        let place = list.binary_search(&name).ok()?;
        list.get(place).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_in_order_and_found() {
        for list in ALL {
            assert!(list.is_sorted(), "{list:?}");
            assert!(list.contains(&"model"), "{list:?}");
            assert!(list.iter().all(|name| find(name) == Some(*name)));
        }
        assert_eq!(find("rid"), None);
    }
}
