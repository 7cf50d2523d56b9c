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
use std::rc::Rc;

/// Most bytes of a text that are taken for one token on an average: what was learned of odd
/// requests does not make others free. Tokenizers have some 4 for prose.
pub(crate) const BYTES_PER_TOKEN_MAX: u64 = 8;

/// Tokens of a prompt of so many bytes, estimated: no prompt is nothing to an engine.
pub(super) fn prompt_tokens(learned: &Learned, text_bytes: u64) -> u64 {
    learned.input_tokens(text_bytes).max(text_bytes / BYTES_PER_TOKEN_MAX).max(1)
}

/// Who is limited and who pays.
pub struct Whose<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The user, as records name it.
    pub user: Option<&'a str>,
    /// The model's own name, whatever it was called.
    pub model: &'a str,
    /// The name of that model's limits.
    pub limits: Option<&'a str>,
}

/// What is counted of a request before it goes out.
pub struct Demand<'p> {
    pub(super) scopes: Vec<(Scope, Rc<LimitsConfig>)>,
    pub(super) payers: Vec<Payer>,
    pub(super) bound: Bound,
    /// The most that it can cost at each pool that may serve it in place of the first.
    others: Vec<Bound>,
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
    /// What is asked of the pool that is tried first.
    ///
    /// # Errors
    /// As [`Rules::scopes`].
    pub fn of<T: Table>(
        rules: &Rules,
        till: &Till<'_, T>,
        whose: &Whose<'_>,
        (pool_name, pool): (&'p str, &'p PoolConfig),
        asked: Asked,
        text_bytes: u64,
    ) -> Result<Demand<'p>, Refusal> {
        let accounts = rules.accounts(whose.caller, whose.user);
        let learned = Learned::of(till.table, pool_name);
        Ok(Demand {
            scopes: rules.scopes(till.salt, whose)?,
            payers: accounts.iter().map(|account| Payer::new(till.salt, account)).collect(),
            bound: Bound::of(pool, &asked),
            others: Vec::new(),
            input_tokens: prompt_tokens(&learned, text_bytes),
            text_bytes,
            asked,
            pool,
            pool_name,
            learned,
            can_be_capped: false,
        })
    }

    /// The same, of a request that other pools may serve as well, with the most that it can
    /// cost at each of them.
    #[must_use]
    pub fn with_others(self, others: Vec<Bound>) -> Demand<'p> {
        Demand { others, ..self }
    }

    /// Those.
    #[must_use]
    pub fn others(&self) -> &[Bound] {
        &self.others
    }

    /// What is to be reserved, in nano-dollars: the most that it can cost at the dearest pool.
    pub(super) fn nanodollars(&self) -> u64 {
        let others = self.others.iter().map(Bound::nanodollars);
        others.fold(self.bound.nanodollars(), u64::max)
    }

    /// Tokens of an answer that are put in at the first pool: see [`Demand::put_in_at`].
    #[must_use]
    pub fn put_in(&self) -> Option<u64> {
        self.put_in_at(self.pool, &self.bound)
    }

    /// Tokens of an answer that are put in where the caller names none: what the pool says,
    /// or what is reserved where nothing else holds its engine to that. `None`: nothing is.
    #[must_use]
    pub fn put_in_at(&self, pool: &PoolConfig, bound: &Bound) -> Option<u64> {
        if self.asked.max_tokens.is_some() {
            return None;
        }
        let is_paid = !self.payers.is_empty();
        let reserved = (is_paid && pool.context == 0).then(|| bound.max_tokens());
        pool.max_tokens.or(reserved)
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
