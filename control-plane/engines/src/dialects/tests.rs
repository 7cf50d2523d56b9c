//! Recorded and made-up answers with the exact snapshots that they make.

use super::*;
use crate::exposition::Reader;
use crate::signals::{Answered, Prefix, Signals};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/", $name)) as &[u8]
    };
}

fn read(engine: Engine, bodies: &[&[u8]]) -> Snapshot {
    let mut dialect = of(engine).unwrap();
    for body in bodies {
        let mut reader = Reader::default();
        dialect.start();
        reader.read(body, |line| dialect.take(&line));
    }
    dialect.snapshot()
}

fn signals(running: f64, waiting: f64, kv_use: Option<f64>) -> Signals {
    Signals { running: Some(running), waiting: Some(waiting), kv_use, gpu_use: None }
}

fn counters(prompt: f64, generated: f64, asked: f64, hit: f64, signals: Signals) -> Snapshot {
    Snapshot {
        signals,
        prompt_tokens: Some(prompt),
        generated_tokens: Some(generated),
        prefix: Some(Prefix::Counted { asked, hit }),
        answered: None,
    }
}

#[test]
fn recorded_answers_read_as_the_engines_said() {
    use Engine::{Llamacpp, Sglang, Vllm};
    let table: [(&str, Engine, &[u8], Snapshot); 5] = [
        (
            "vllm loaded",
            Vllm,
            fixture!("vllm-loaded.response.http"),
            counters(
                3625.0,
                2179.0,
                3623.0,
                1408.0,
                signals(4.0, 3.0, Some(0.003_907_203_907_203_893)),
            ),
        ),
        (
            "vllm kv pressure",
            Vllm,
            fixture!("vllm-kv-pressure.response.http"),
            counters(432.0, 7922.0, 432.0, 0.0, signals(5.0, 0.0, Some(0.947_368_421_052_631_6))),
        ),
        (
            "vllm queue full",
            Vllm,
            fixture!("vllm-queue-full.response.http"),
            counters(13.0, 239.0, 13.0, 0.0, signals(1.0, 2.0, Some(0.000_488_400_488_400_486_7))),
        ),
        (
            "sglang loaded",
            Sglang,
            fixture!("sglang-loaded.response.http"),
            counters(3176.0, 239.0, 3176.0, 1742.0, signals(4.0, 3.0, Some(0.03))),
        ),
        (
            "llama.cpp loaded",
            Llamacpp,
            fixture!("llamacpp-loaded.response.http"),
            counters(3333.0, 381.0, 3333.0, 1804.0, signals(4.0, 3.0, None)),
        ),
    ];
    for (name, engine, body, expected) in table {
        let read = Snapshot { answered: None, ..read(engine, &[body]) };
        assert_eq!(read, expected, "{name}");
    }
}

/// First tokens of vLLM and SGLang, tokens of llama.cpp, whole answers of the others.
#[test]
fn how_long_answers_took() {
    use Engine::{Llamacpp, Sglang, Tgi, Triton, Vllm};
    let tgi = b"tgi_request_duration_bucket{le=\"+Inf\"} 9\ntgi_request_duration_sum 12.5\n\
        tgi_request_duration_count 9\n";
    let triton = b"nv_inference_request_success{model=\"a\",version=\"1\"} 3\n\
        nv_inference_request_success{model=\"b\",version=\"1\"} 1\n\
        nv_inference_request_duration_us{model=\"a\",version=\"1\"} 1500000\n\
        nv_inference_request_duration_us{model=\"b\",version=\"1\"} 500000\n";
    let idle = fixture!("sglang-idle.response.http");
    let of = |seconds, count| Some(Answered { seconds, count });
    let first = of(0.673_954_321_302_972 + 0.833_431_079_999_627_4, 30.0);
    let table: [(Engine, &[u8], Option<Answered>); 8] = [
        (Vllm, fixture!("vllm-loaded.response.http"), of(17.170_698_165_893_555, 43.0)),
        (Vllm, fixture!("vllm-kv-pressure.response.http"), of(42.613_080_024_719_24, 30.0)),
        (Sglang, fixture!("sglang-loaded.response.http"), first),
        (Sglang, idle, None),
        (Llamacpp, fixture!("llamacpp-loaded.response.http"), of(0.07063, 381.0)),
        (Tgi, tgi, of(12.5, 9.0)),
        (Triton, triton, of(2.0, 4.0)),
        (Triton, fixture!("triton.txt"), None),
    ];
    for (engine, body, expected) in table {
        assert_eq!(read(engine, &[body]).answered, expected, "{engine:?}");
    }
}

#[test]
fn sglang_before_its_first_request_has_a_ratio_and_no_counters() {
    let idle = read(Engine::Sglang, &[fixture!("sglang-idle.response.http")]);
    let expected = Snapshot {
        signals: signals(0.0, 0.0, Some(0.0)),
        prefix: Some(Prefix::Ratio(0.0)),
        ..Snapshot::default()
    };
    assert_eq!(idle, expected);
}

#[test]
fn made_up_answers_read_as_documented() {
    let tgi = Snapshot {
        signals: signals(12.0, 5.0, Some(0.25)),
        prompt_tokens: Some(190_231.0),
        generated_tokens: Some(101_442.0),
        prefix: None,
        answered: None,
    };
    assert_eq!(read(Engine::Tgi, &[fixture!("tgi.txt")]), tgi);
    let table = [
        (fixture!("triton.txt"), None, Some(9.0), None, Some(0.75)),
        (fixture!("triton-trtllm.txt"), Some(20.0), Some(6.0), Some(0.25), Some(1.0)),
        (fixture!("trtllm-serve.txt"), Some(9.0), Some(1.0), Some(0.375), None),
    ];
    for (body, running, waiting, kv_use, gpu_use) in table {
        let signals = Signals { running, waiting, kv_use, gpu_use };
        assert_eq!(
            read(Engine::Triton, &[body]),
            Snapshot { signals, ..Snapshot::default() },
            "{}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn a_kv_fraction_that_is_missing_is_the_used_blocks_of_all() {
    let body = b"nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"used\"} 30\n\
        nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"max\"} 40\n";
    assert_eq!(read(Engine::Triton, &[body]).signals.kv_use, Some(0.75));
}

#[test]
fn ranks_of_vllm_are_added_up_and_their_cache_use_is_the_mean() {
    let body = b"vllm:num_requests_running{engine=\"0\"} 3\n\
        vllm:num_requests_running{engine=\"1\"} 5\n\
        vllm:num_requests_waiting{engine=\"0\"} 0\n\
        vllm:num_requests_waiting{engine=\"1\"} 2\n\
        vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\n\
        vllm:kv_cache_usage_perc{engine=\"1\"} 0.75\n\
        vllm:generation_tokens_total{engine=\"0\"} 10\n\
        vllm:generation_tokens_total{engine=\"1\"} 20\n";
    let read = read(Engine::Vllm, &[body]);
    assert_eq!(read.signals, signals(8.0, 2.0, Some(0.5)));
    assert_eq!(read.generated_tokens, Some(30.0));
}

#[test]
fn old_names_of_vllm_count_where_the_new_ones_are_missing() {
    let old = b"vllm:gpu_cache_usage_perc 0.5\n\
        vllm:gpu_prefix_cache_queries_total 8\n\
        vllm:gpu_prefix_cache_hits_total 2\n"
        .as_slice();
    let snapshot = read(Engine::Vllm, &[old]);
    assert_eq!(snapshot.signals.kv_use, Some(0.5));
    assert_eq!(snapshot.prefix, Some(Prefix::Counted { asked: 8.0, hit: 2.0 }));
    let both = [old, b"vllm:kv_cache_usage_perc 0.25\n".as_slice()].concat();
    assert_eq!(read(Engine::Vllm, &[&both]).signals.kv_use, Some(0.25));
}

#[test]
fn the_lowest_rank_of_each_replica_of_sglang_counts_once() {
    let body = b"sglang:num_running_reqs{tp_rank=\"1\",dp_rank=\"0\"} 100\n\
        sglang:num_running_reqs{tp_rank=\"0\",dp_rank=\"0\"} 3\n\
        sglang:num_running_reqs{tp_rank=\"2\",dp_rank=\"1\"} 4\n\
        sglang:num_running_reqs{tp_rank=\"3\",dp_rank=\"1\"} 200\n\
        sglang:num_queue_reqs{tp_rank=\"0\",pp_rank=\"0\",kind=\"all\"} 7\n\
        sglang:num_queue_reqs{tp_rank=\"0\",pp_rank=\"0\",kind=\"part\"} 5\n\
        sglang:num_queue_reqs{tp_rank=\"0\",pp_rank=\"1\"} 70\n\
        sglang:token_usage{tp_rank=\"0\",dp_rank=\"0\"} 0.5\n\
        sglang:token_usage{tp_rank=\"2\",dp_rank=\"1\"} 0.25\n";
    assert_eq!(read(Engine::Sglang, &[body]).signals, signals(7.0, 7.0, Some(0.375)));
}

#[test]
fn replicas_of_sglang_are_bounded() {
    let lines = (0..1000).map(|rank| format!("sglang:num_running_reqs{{dp_rank=\"{rank}\"}} 1\n"));
    let body: String = lines.collect();
    assert_eq!(read(Engine::Sglang, &[body.as_bytes()]).signals.running, Some(256.0));
}

#[test]
fn what_an_engine_does_not_know_yet_is_not_told() {
    let body = b"vllm:num_requests_running NaN\nvllm:num_requests_waiting -1\n";
    assert!(read(Engine::Vllm, &[body]).is_empty());
}

#[test]
fn nothing_of_the_last_answer_is_left_in_the_next() {
    use Engine::{Llamacpp, Sglang, Tgi, Triton, Vllm};
    let table = [
        (Vllm, fixture!("vllm-loaded.response.http")),
        (Sglang, fixture!("sglang-loaded.response.http")),
        (Tgi, fixture!("tgi.txt")),
        (Llamacpp, fixture!("llamacpp-loaded.response.http")),
        (Triton, fixture!("triton-trtllm.txt")),
        (Triton, fixture!("triton.txt")),
        (Triton, fixture!("trtllm-serve.txt")),
    ];
    for (engine, body) in table {
        assert_eq!(read(engine, &[body, body]), read(engine, &[body]), "{engine:?}");
        assert!(read(engine, &[body, b"# EOF\n"]).is_empty(), "{engine:?}");
    }
}

#[test]
fn an_engine_is_never_read_in_another_ones_dialect() {
    let vllm = fixture!("vllm-loaded.response.http");
    for engine in [Engine::Sglang, Engine::Tgi, Engine::Llamacpp, Engine::Triton] {
        assert!(read(engine, &[vllm]).is_empty(), "{engine:?}");
    }
    assert!(read(Engine::Vllm, &[fixture!("tgi.txt")]).is_empty());
}

#[test]
fn only_engines_with_a_dialect_tell() {
    use Engine::{Llamacpp, Openai, Sglang, Tgi, Triton, Vllm};
    for engine in [Vllm, Sglang, Tgi, Llamacpp, Triton, Openai] {
        assert_eq!(of(engine).is_some(), tells(engine), "{engine:?}");
    }
    assert!(!tells(Openai));
}
