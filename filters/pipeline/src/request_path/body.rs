//! The whole body of a request is there.

mod draft;
mod facts;
mod faults;
mod parsed;
mod paying;

pub use draft::Answers;
pub(super) use draft::Draft;

use super::chain::Way;
use super::{forbidden, no_such_model, refused};
use crate::Policy;
use crate::command::{Finish, HeaderEdit};
use crate::exchange::{Forwarded, Held};
use crate::privacy::{self, Material, Outcome, Question};
use crate::spending::{self, Denied, Till};
use crate::surface::{self, Wanted};
use auth::Caller;
use auth::authorize::{ModelNames, Permissions};
use billing::table::Table;
use contract::fleet::Fleet;
use contract::lease::Wanted as Lease;
use contract::refusal::Refusal;
use contract::usage::Who;
use facts::Facts;
use parsed::Parsed;
use paying::Prepared;
use routing::{Draw, Model, Route};
use std::rc::Rc;

/// What a body leads to.
#[derive(Debug)]
pub enum Decision {
    /// It ends here.
    Finish(Finish),
    /// It is not what was signed: nobody is billed.
    Refused(Refusal),
    /// An external detector has to be asked about its texts; then
    /// [`on_body`] again.
    Detect(Question),
    /// The control plane has to be asked for these leases; then [`on_body`] again.
    Lease(Vec<Lease>),
    /// It goes to a pool.
    Forward {
        /// Headers that lead there.
        edits: Vec<HeaderEdit>,
        /// The body for the engine, where it is another one.
        body: Option<Vec<u8>>,
        /// What becomes of it on its way to each pool, where they do not all get the same:
        /// the value of the property `bodies`.
        bodies: Option<Vec<u8>>,
        /// What is known when the answer comes.
        forwarded: Box<Forwarded>,
    },
}

/// More of the body has arrived than is taken.
#[must_use]
pub fn on_body_too_large(policy: &Policy, held: &Held) -> Finish {
    refused(&surface::too_large(policy.max_body_bytes), held.who(), &held.opened)
}

/// What a body is decided by that does not come with it.
pub struct Setting<'s, T> {
    /// What it is masked with.
    pub material: Material<'s>,
    /// Where it is paid for.
    pub till: &'s Till<'s, T>,
    /// The servers of pools with affinity.
    pub fleet: &'s Fleet,
    /// Whether the control plane may still be asked for leases.
    pub may_ask: bool,
}

/// The whole body is there.
#[must_use]
pub fn on_body<T: Table>(
    policy: &Policy,
    held: &Held,
    body: &[u8],
    setting: &Setting<'_, T>,
) -> Decision {
    if let Some(signed) = &held.signer.body
        && let Err(refusal) = signed.check(body)
    {
        return Decision::Refused(refusal);
    }
    let mut who = held.who();
    decide(policy, held, &mut who, body, setting).unwrap_or_else(|denied| {
        let mut finish = refused(&denied.refusal, who, &held.opened);
        finish.reply.headers.extend(denied.headers);
        Decision::Finish(finish)
    })
}

/// What a request is decided by, beside its body.
struct Case<'p, T> {
    policy: &'p Policy,
    held: &'p Held,
    permissions: Permissions<'p>,
    salt: Option<&'p str>,
    caller: &'p Caller,
    setting: &'p Setting<'p, T>,
}

fn decide<'p, T: Table>(
    policy: &'p Policy,
    held: &'p Held,
    who: &mut Who,
    body: &[u8],
    setting: &'p Setting<'p, T>,
) -> Result<Decision, Denied> {
    let caller = &held.signer.caller;
    let permissions = policy.access.of(caller)?;
    let salt = policy.salts.get(&caller.tenant).map(String::as_str);
    Case { policy, held, permissions, salt, caller, setting }.decided(who, body)
}

impl<'p, T: Table> Case<'p, T> {
    fn decided(&self, who: &mut Who, body: &[u8]) -> Result<Decision, Denied> {
        let wants_texts = self.policy.wants_texts;
        let (parsed, texts) = match &self.held.opened.wanted {
            Ok(Wanted::Form { boundary }) => Parsed::form(body, boundary, wants_texts)?,
            _ => Parsed::json(body, self.held.opened.path, wants_texts)?,
        };
        who.stream = parsed.stream();
        let model = self.model(who, parsed.model())?;
        let tenant = &self.caller.tenant;
        let user = parsed.user().filter(|_| self.policy.spending.user_from_body(tenant));
        who.user = spending::recorded_user(self.caller, user, self.setting.material.key)?;
        let facts = Facts {
            held: self.held,
            permissions: &self.permissions,
            parsed: &parsed,
            texts: texts.as_ref(),
        };
        let chain = model.choose(&facts, &self.draw(who)).ok_or_else(no_such_model)?;
        let route = chain.first().ok_or_else(no_such_model)?;
        let contents = parsed.check(&route.config, body)?;
        self.name(who, route);
        let asked = parsed.asked(&contents, body);
        let (text_bytes, media_bytes) = (parsed.text_bytes(), parsed.media_bytes(body));
        let masked = Vec::new();
        let mut draft = Draft { route, body, parsed, texts, masked, text_bytes, media_bytes };
        let masked = match self.mask(who, model, &draft)? {
            None => None,
            Some(Outcome::Detect(question)) => return Ok(Decision::Detect(question)),
            Some(Outcome::Masked(edits, mut what)) => {
                draft.masked = edits;
                what.is_structured = draft.parsed.is_structured();
                Some(what)
            }
        };
        let (edits, answers) = draft.parsed.edits(&route.config, self.salt);
        let way = Way::of(self.policy, chain, &draft, self.salt, draft.length(&edits));
        self.leaves(who, Prepared { model, draft, edits, answers, asked, masked }, way)
    }

    /// What a split divides by. The user is the recorded one: it is the same for all that he
    /// asks.
    fn draw<'a>(&'a self, who: &'a Who) -> Draw<'a> {
        Draw {
            user: who.user.as_deref(),
            key: &self.caller.key,
            request_id: &self.held.opened.request_id,
        }
    }

    /// What the ledger is told once the pool is known.
    fn name(&self, who: &mut Who, route: &Route) {
        who.organisation = self.policy.spending.organisation(&self.caller.tenant).cloned();
        who.pool = Some(route.pool.clone());
        who.price_version = Some(route.config.price_version.clone());
    }

    /// A model that this caller may not use does not exist for him.
    fn model(&self, who: &mut Who, asked: &str) -> Result<&'p Model, Refusal> {
        let model = self.policy.routes.resolve(&self.caller.tenant, asked);
        let names = |model: &'p Model| ModelNames { asked, own: model.name() };
        let may = |model: &&'p Rc<Model>| self.permissions.model(names(model));
        let model = model.filter(may).ok_or_else(no_such_model)?;
        who.model = Some(asked.to_owned());
        let may = self.permissions.allows(names(model), self.held.opened.path);
        if may { Ok(model) } else { Err(forbidden()) }
    }

    /// Masks the texts where the request has a policy.
    fn mask(
        &self,
        who: &mut Who,
        model: &Model,
        draft: &Draft<'_, '_>,
    ) -> Result<Option<Outcome>, Refusal> {
        let policy = self.policy.masking.of(self.caller, model.masking())?;
        let (Some(policy), Some(texts)) = (policy, &draft.texts) else { return Ok(None) };
        let (material, tenant) = (&self.setting.material, &self.caller.tenant);
        privacy::mask(policy, material, tenant, texts, &mut who.masked).map(Some)
    }
}
