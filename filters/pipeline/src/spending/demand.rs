//! What a request asks of limits and budgets.

use super::{Rules, Till};
use auth::Caller;
use billing::bound::{Asked, Bound};
use billing::estimate::Learned;
use billing::lease::Payer;
use billing::scope::Scope;
use billing::table::Table;
use chat::media::Contents;
use chat::path::Api;
use chat::request::Request;
use contract::limits::EXPECTED_ANSWER_TOKENS;
use contract::policy::{LimitsConfig, PoolConfig};
use contract::refusal::Refusal;
use contract::usage::Who;
use std::rc::Rc;

/// Most bytes of a text that are taken for one token on an average: what was learned of odd
/// requests does not make others free. Tokenizers have some 4 for prose.
const BYTES_PER_TOKEN_MAX: u64 = 8;

/// What is counted of a request before it goes out.
pub struct Demand<'p> {
    pub(super) scopes: Vec<(Scope, Rc<LimitsConfig>)>,
    pub(super) payers: Vec<Payer>,
    pub(super) bound: Bound,
    pub(super) asked: Asked,
    pub(super) pool: &'p PoolConfig,
    pub(super) pool_name: &'p str,
    pub(super) learned: Learned,
    /// Bytes of its texts.
    pub(super) text_bytes: u64,
    /// Tokens of the prompt, estimated.
    pub(super) input_tokens: u64,
    /// Whether a smaller `max_tokens` can be put in.
    pub(super) can_be_capped: bool,
}

impl<'p> Demand<'p> {
    /// What the request of `caller` asks for; `who` has its model and user by now.
    ///
    /// # Errors
    /// As [`Rules::scopes`].
    pub fn of<T: Table>(
        rules: &Rules,
        till: &Till<'_, T>,
        caller: &Caller,
        who: &Who,
        (pool_name, pool): (&'p str, &'p PoolConfig),
        asked: Asked,
        text_bytes: u64,
    ) -> Result<Demand<'p>, Refusal> {
        let user = who.user.as_deref();
        let model = who.model.as_deref().unwrap_or_default();
        let accounts = rules.accounts(caller, user);
        let learned = Learned::of(till.table, pool_name);
        Ok(Demand {
            scopes: rules.scopes(till.salt, caller, user, model)?,
            payers: accounts.iter().map(|account| Payer::new(till.salt, account)).collect(),
            bound: Bound::of(pool, &asked),
            // No prompt is nothing to an engine.
            input_tokens: learned
                .input_tokens(text_bytes)
                .max(text_bytes / BYTES_PER_TOKEN_MAX)
                .max(1),
            text_bytes,
            asked,
            pool,
            pool_name,
            learned,
            can_be_capped: false,
        })
    }

    /// Most tokens of an answer that are reserved and that nothing else holds the engine to:
    /// neither caller, pool nor context; `None`: something does, or nothing is reserved.
    #[must_use]
    pub fn most_of_an_answer(&self) -> Option<u64> {
        let is_held = self.asked.max_tokens.or(self.pool.max_tokens).is_some();
        let is_paid = !self.payers.is_empty();
        let is_free = is_paid && !is_held && self.pool.context == 0;
        is_free.then(|| self.bound.max_tokens())
    }

    /// Tokens of the answers as a limit takes them when the request leaves: what the caller has
    /// asked for, and otherwise what answers mostly have at most. The rest is settled.
    pub(super) fn expected_output(&self) -> u64 {
        let most = self.bound.output_tokens();
        let answers = most.checked_div(self.bound.max_tokens()).unwrap_or(0);
        match self.asked.max_tokens {
            Some(_) => most,
            None => most.min(answers.saturating_mul(EXPECTED_ANSWER_TOKENS)),
        }
    }

    /// The same, of a request into which `max_tokens` can be put.
    #[must_use]
    pub fn capped_where_needed(self, can_be_capped: bool) -> Demand<'p> {
        Demand { can_be_capped, ..self }
    }
}

/// What a JSON request asks for, but for the bytes that go out; `generates` is whether its
/// path's answers are generated.
#[must_use]
pub fn asked(request: &Request<'_>, api: &Api<'_>, contents: &Contents, generates: bool) -> Asked {
    Asked {
        media: request.images().saturating_add(request.other_media()),
        images: contents.images,
        pages: contents.pages,
        prompts: request.inputs(api),
        repeated_bytes: request.repeated_bytes(api),
        choices: request.n.unwrap_or(1).max(request.best_of.unwrap_or(1)),
        max_tokens: request.asked_tokens(api),
        generates,
        stream: request.stream,
        ..Asked::default()
    }
}
