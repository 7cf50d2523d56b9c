//! Why the two sides may differ: known quirks of engines, and what happened.

use super::{Compared, PoolRow, Posted, Read};
use contract::policy::Engine;

/// Every reason that applies, the certain ones first.
pub fn explanations(of: &Compared<'_>, posted: &Posted, read: &Read, row: &PoolRow) -> Vec<String> {
    if row.engines.is_none() {
        return vec![unread(of.engine, read)];
    }
    let mut reasons = sampling(of, read);
    let differ = |difference: &Option<super::Difference>| {
        difference.as_ref().map_or(0, |difference| difference.tokens)
    };
    let (input, output) = (differ(&row.input_difference), differ(&row.output_difference));
    if input == 0 && output == 0 {
        return reasons;
    }
    reasons.extend(estimates(posted));
    if input > 0 || output > 0 {
        reasons.extend(engines_have_more(of.engine, posted));
        reasons.push(
            "requests that did not come through the gateway (warm-up, probes, other clients) are \
             in the engines' counters alone"
                .to_owned(),
        );
    }
    if input < 0 || output < 0 {
        reasons.extend(engines_have_less(of.engine, posted));
    }
    if posted.across.requests > 0 {
        reasons.push(format!(
            "{} requests were under way when the window began: the engines may have counted up to \
             {} input and {} output tokens of them before",
            posted.across.requests, posted.across.tokens.input, posted.across.tokens.output
        ));
    }
    reasons
}

fn unread(engine: Engine, read: &Read) -> String {
    match engine {
        Engine::Openai | Engine::Triton => "this kind of engine does not tell its tokens".into(),
        _ if read.once.is_empty() => {
            "no counters were sampled in this window: metrics are off, or the engines could not be \
             asked"
                .into()
        }
        _ => "the counters were sampled once in this window: two samples make a difference".into(),
    }
}

/// What the samples lack.
fn sampling(of: &Compared<'_>, read: &Read) -> Vec<String> {
    let restarts = read.restarts.iter().map(|(endpoint, times)| {
        format!(
            "{endpoint} began anew {times} times: what it counted between the last sample and its \
             end is in the ledger alone"
        )
    });
    let partly = read.partly.iter().map(|(endpoint, from, to)| {
        let (from, to) = (moment(*from), moment(*to));
        format!("{endpoint} was sampled only from {from} to {to}")
    });
    let once =
        read.once.iter().map(|endpoint| format!("{endpoint} was sampled once: it is left out"));
    let shared = of.shared.iter().map(|endpoint| {
        format!("{endpoint} serves other pools too: its counters are of all of them")
    });
    restarts.chain(partly).chain(once).chain(shared).collect()
}

fn moment(at_ms: u64) -> String {
    crate::when::rfc3339(at_ms / 1_000)
}

fn estimates(posted: &Posted) -> Option<String> {
    let kind = posted.estimated;
    (kind.requests > 0).then(|| {
        format!(
            "{} requests have estimated tokens, {} input and {} output",
            kind.requests, kind.tokens.input, kind.tokens.output
        )
    })
}

fn engines_have_more(engine: Engine, posted: &Posted) -> Vec<String> {
    let mut reasons = Vec::new();
    let cut = posted.cut.requests.saturating_add(posted.failed.requests);
    if cut > 0 {
        reasons.push(format!(
            "{cut} answers were cut: an engine goes on until it notices, and what it generated \
             then was delivered to nobody and is not billed"
        ));
    }
    if cut > 0 && engine == Engine::Vllm {
        reasons.push(
            "vLLM counts the prompt of a request that was aborted, also when nothing came back"
                .to_owned(),
        );
    }
    if posted.lost.requests > 0 {
        reasons.push(format!(
            "{} answers were lost with their gateway: they are billed up to the last line that it \
             had written",
            posted.lost.requests
        ));
    }
    if posted.more_attempts > 0 {
        reasons.push(format!(
            "{} attempts failed before another engine answered: each counted the prompt, which is \
             billed once",
            posted.more_attempts
        ));
    }
    reasons
}

fn engines_have_less(engine: Engine, posted: &Posted) -> Vec<String> {
    let cut = posted.cut.requests.saturating_add(posted.failed.requests);
    let counts_at_the_end = match engine {
        Engine::Sglang => Some("SGLang"),
        Engine::Llamacpp => Some("llama.cpp"),
        Engine::Tgi => Some("Text Generation Inference"),
        _ => None,
    };
    let name = counts_at_the_end.filter(|_| cut > 0);
    name.map(|name| {
        format!(
            "{name} counts a request when it has finished: {cut} cut answers, {} input and {} \
             output tokens, may not be in its counters",
            posted.cut.tokens.input.saturating_add(posted.failed.tokens.input),
            posted.cut.tokens.output.saturating_add(posted.failed.tokens.output),
        )
    })
    .into_iter()
    .collect()
}
