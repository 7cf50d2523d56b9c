use super::*;
use contract::policy::{Engine, MediaConfig};
use proptest::prelude::*;

fn pool(context: u64, max_tokens: Option<u64>, prices: Prices) -> PoolConfig {
    PoolConfig {
        cluster: String::new(),
        model: String::new(),
        base_path: String::new(),
        context,
        timeout_ms: 60_000,
        price_version: prices.version(),
        prices,
        max_tokens,
        template_tokens: 256,
        medium_tokens: 1_000,
        engine: Engine::Vllm,
        allow_fields: vec![],
        cache_salt: false,
        media: MediaConfig::default(),
        retries: 0,
        first_token_timeout_ms: None,
        affinity: contract::policy::AffinityConfig::None,
    }
}

fn tokens(context: u64, cap: Option<u64>, asked: &Asked) -> (u64, u64) {
    let bound = Bound::of(&pool(context, cap, Prices::default()), asked);
    (bound.input_tokens(), bound.output_tokens())
}

#[test]
fn tokens_of_prompt_and_answers() {
    let plain = Asked { body_bytes: 1_000, ..Asked::default() };
    let most = Asked { body_bytes: u64::MAX, media: u64::MAX, prompts: u64::MAX, ..plain };
    let table = [
        // context, the pool's cap, asked; tokens in, tokens out
        (0, None, plain, (1_256, UNBOUNDED_ANSWER_TOKENS)),
        (8_192, None, plain, (1_256, 8_191)),
        (8_192, Some(500), plain, (1_256, 500)),
        (8_192, Some(500), Asked { max_tokens: Some(700), ..plain }, (1_256, 700)),
        (8_192, Some(500), Asked { max_tokens: Some(10_000), ..plain }, (1_256, 8_191)),
        (0, None, Asked { max_tokens: Some(10), choices: 3, ..plain }, (1_256, 30)),
        (0, None, Asked { max_tokens: Some(10), choices: 3, prompts: 2, ..plain }, (1_512, 60)),
        (0, None, Asked { media: 2, max_tokens: Some(0), ..plain }, (3_256, 0)),
        (1_000, None, Asked { media: 2, ..plain }, (1_000, 999)),
        (
            1_000,
            None,
            Asked { prompts: 2, body_bytes: 9_000, generates: false, ..plain },
            (2_000, 0),
        ),
        (0, None, Asked { prompts: 3, repeated_bytes: 10, generates: false, ..plain }, (1_788, 0)),
        (1, None, plain, (1, 1)),
        (0, None, Asked { prompts: 0, choices: 0, max_tokens: Some(5), ..plain }, (1_256, 5)),
        (0, Some(u64::MAX), most, (u64::MAX, u64::MAX)),
        (u64::MAX, None, most, (u64::MAX, u64::MAX)),
    ];
    for (context, cap, asked, expected) in table {
        assert_eq!(tokens(context, cap, &asked), expected, "{context} {cap:?} {asked:?}");
    }
}

#[test]
fn money_for_everything() {
    let prices = Prices {
        input: 1_000_000,
        cached_input: 2_000_000,
        output: 3_000_000,
        request: 10_000,
        image: 100_000,
        page: 1_000_000,
        audio_second: 7,
        gpu_second: 11,
    };
    let pool = pool(0, None, prices);
    let asked = Asked { body_bytes: 744, max_tokens: Some(100), ..Asked::default() };
    let bound = Bound::of(&pool, &asked);
    let plain = 2 * 1_000 + 3 * 100 + 10_000;
    assert_eq!(bound.nanodollars(), plain + 11 * 60, "a cached token may be the dearer one");
    let streamed = Bound::of(&pool, &Asked { stream: true, ..asked });
    assert_eq!(streamed.nanodollars(), plain + 11 * 30);
    assert_eq!(streamed.gpu_slice_nanodollars(), 11 * 30);
    let media = Asked { images: 1, pages: 2, media: 3, audio_bytes: 501, ..asked };
    let more = 2 * 3_000 + 100_000 + 2 * 1_000_000 + 7 * 2;
    assert_eq!(Bound::of(&pool, &media).nanodollars(), bound.nanodollars() + more);
    assert_eq!(bound.with_max_tokens(50).nanodollars(), bound.nanodollars() - 150);
    assert_eq!(bound.with_max_tokens(500), bound);
}

#[test]
fn what_can_be_paid() {
    let prices = Prices { input: 1_000_000, output: 2_000_000, ..Prices::default() };
    let asked = Asked { body_bytes: 744, max_tokens: Some(100), choices: 2, ..Asked::default() };
    let bound = Bound::of(&pool(0, None, prices), &asked);
    assert_eq!(bound.nanodollars(), 1_400);
    let table = [
        (u64::MAX, Some(100)),
        (1_400, Some(100)),
        (1_399, Some(99)),
        (1_004, Some(1)),
        (1_003, None),
        (1_000, None),
        (0, None),
    ];
    for (available, expected) in table {
        assert_eq!(bound.affordable_max_tokens(available), expected, "{available}");
    }
    let cheap = pool(0, None, Prices { output: 1, ..Prices::default() });
    let long = Bound::of(&cheap, &Asked { max_tokens: Some(u64::MAX), ..Asked::default() });
    let paid = [0, 1].map(|available| long.affordable_max_tokens(available));
    assert_eq!(paid, [Some(499_999), Some(1_499_999)], "as costs are rounded");
    let free = Bound::of(&pool(0, None, Prices { output: 0, ..prices }), &asked);
    assert_eq!(
        [free.affordable_max_tokens(1_000), free.affordable_max_tokens(999)],
        [Some(100), None]
    );
    let none = Bound::of(&pool(0, None, prices), &Asked { generates: false, ..asked });
    assert!(
        none.affordable_max_tokens(1_000).is_some() && none.affordable_max_tokens(999).is_none()
    );
}

proptest! {
    #[test]
    fn what_can_be_paid_is_the_most_that_fits(
        input in 0..3_000_000_000_u64, output in 0..3_000_000_000_u64, request in 0..2_000_u64,
        body_bytes in 0..5_000_u64, choices in 1..5_u64, max_tokens in 1..5_000_u64,
        available in 0..20_000_000_u64,
    ) {
        let prices = Prices { input, output, request, ..Prices::default() };
        let asked = Asked { body_bytes, choices, max_tokens: Some(max_tokens), ..Asked::default() };
        let bound = Bound::of(&pool(0, None, prices), &asked);
        match bound.affordable_max_tokens(available) {
            Some(tokens) => {
                prop_assert!((1..=max_tokens).contains(&tokens));
                prop_assert!(bound.with_max_tokens(tokens).nanodollars() <= available);
                let one_more = Bound { max_tokens: tokens + 1, ..bound };
                prop_assert!(tokens == max_tokens || one_more.nanodollars() > available);
            }
            None => prop_assert!(bound.with_max_tokens(1).nanodollars() > available),
        }
    }

    /// What an engine can report within its bounds never costs more than was reserved.
    #[test]
    fn a_bound_bounds(
        prices in proptest::array::uniform8(0..5_000_000_000_u64),
        input in 0..1_256_u64, cached in 0..1_256_u64, output in 0..=300_u64,
        gpu_ms in 0..=60_000_u64, images in 0..3_u64,
    ) {
        let [fresh, cached_input, out, request, image, page, audio_second, gpu_second] = prices;
        let prices = Prices {
            input: fresh, cached_input, output: out, request, image, page, audio_second, gpu_second,
        };
        let asked = Asked { body_bytes: 1_000, max_tokens: Some(100), choices: 3, images: 2, ..Asked::default() };
        let tally = Tally {
            input, cached_input: cached, output, gpu_ms, images: images.min(2),
            source: Source::Engine, ..Tally::default()
        };
        let bound = Bound::of(&pool(0, None, prices), &asked);
        prop_assert!(cost_nanodollars(&prices, &tally).unsigned_abs() <= bound.nanodollars());
    }
}

/// Milliseconds of an engine's time, by the pool's time-out of a minute.
#[test]
fn time_is_bounded_by_all_attempts_together() {
    let prices = Prices { gpu_second: 1_000, ..Prices::default() };
    for (stream, attempts_ms, expected_ms) in [
        (false, 0, 60_000),
        (false, 60_000, 60_000),
        (false, 150_000, 150_000),
        (true, 150_000, GPU_SLICE_MS),
    ] {
        let asked = Asked { stream, attempts_ms, ..Asked::default() };
        let bound = Bound::of(&pool(0, None, prices), &asked);
        assert_eq!(bound.nanodollars(), expected_ms, "{stream} {attempts_ms}");
    }
}
