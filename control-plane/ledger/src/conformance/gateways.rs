//! Gateways that were heard of, and counters of engines.

use crate::counters::EngineCounters;
use crate::store::Store;

pub async fn those_that_were_heard_of_are_counted(store: &impl Store) {
    assert_eq!(store.gateways(0).await.unwrap(), 0);
    for (process, now_ms) in [("a", 1_000), ("b", 2_000), ("a", 3_000)] {
        store.gateway_seen(process, now_ms).await.unwrap();
    }
    for (since_ms, expected) in [(0, 2), (2_000, 2), (2_001, 1), (3_001, 0)] {
        assert_eq!(store.gateways(since_ms).await.unwrap(), expected, "{since_ms}");
    }
    // Who was not heard of for a day is forgotten.
    store.gateway_seen("c", 3_000 + 24 * 60 * 60 * 1_000).await.unwrap();
    assert_eq!(store.gateways(0).await.unwrap(), 2);
}

pub async fn what_engines_count_is_kept(store: &impl Store) {
    let counters = |at_ms, endpoint: &str| EngineCounters {
        at_ms,
        pool: "p".to_owned(),
        endpoint: endpoint.to_owned(),
        engine: "vllm".to_owned(),
        input_tokens: at_ms,
        cached_input_tokens: (endpoint == "b").then_some(7),
        output_tokens: 9,
    };
    let all = [counters(5, "a"), counters(5, "b"), counters(6, "a")];
    store.note_counters(&all).await.unwrap();
    store.note_counters(&all[..1]).await.unwrap();
    store.note_counters(&[]).await.unwrap();
    assert_eq!(store.counters(5, 6).await.unwrap(), all[..2]);
    assert_eq!(store.counters(6, 9).await.unwrap(), all[2..]);
    // What is older than a hundred days goes.
    let later = counters(6 + 100 * 24 * 60 * 60 * 1_000, "a");
    store.note_counters(std::slice::from_ref(&later)).await.unwrap();
    assert_eq!(store.counters(0, u64::MAX).await.unwrap(), [all[2].clone(), later]);
}
