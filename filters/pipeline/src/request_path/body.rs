//! The whole body of a request is there.

use super::{forbidden, no_such_model, refused};
use crate::Policy;
use crate::command::{Finish, HeaderEdit};
use crate::exchange::{Forwarded, Held};
use crate::privacy::{self, Masked, Material, Outcome, Question};
use crate::spending::{self, Admission, Course, Demand, Denied, Till};
use crate::surface::{self, Wanted};
use auth::Caller;
use auth::authorize::Permissions;
use billing::bound::Asked as Spent;
use billing::table::Table;
use chat::billing_edits::{max_tokens_edits, usage_edits};
use chat::edit::{Edit, apply, json_string};
use chat::fields;
use chat::form::{self, Form, FormError};
use chat::markdown::names_pictures;
use chat::media::{self, MediaError};
use chat::path::Api;
use chat::request::{Request, RequestError, parse, parse_with_texts};
use chat::strip::Strip;
use chat::texts::Texts;
use contract::lease::Wanted as Lease;
use contract::limits::CHOICES_MAX;
use contract::names::{POOL_HEADER, STREAM_HEADER, TIMEOUT_HEADER};
use contract::policy::Engine;
use contract::refusal::{Code, Refusal};
use contract::usage::{Tally, Who};
use routing::Route;

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
        /// What is known when the answer comes.
        forwarded: Box<Forwarded>,
    },
}

/// More of the body has arrived than is taken.
#[must_use]
pub fn on_body_too_large(policy: &Policy, held: &Held) -> Finish {
    refused(&surface::too_large(policy.max_body_bytes), held.who(), &held.opened)
}

/// The whole body is there, `material` to mask it with, and the `till` to pay at. `may_ask`
/// is whether the control plane may still be asked for leases.
#[must_use]
pub fn on_body<T: Table>(
    policy: &Policy,
    held: &Held,
    body: &[u8],
    material: &Material<'_>,
    till: &Till<'_, T>,
    may_ask: bool,
) -> Decision {
    if let Some(signed) = &held.signer.body
        && let Err(refusal) = signed.check(body)
    {
        return Decision::Refused(refusal);
    }
    let mut who = held.who();
    match decide(policy, held, &mut who, body, material, Counter { till, may_ask }) {
        Ok(Decided::Forward { route, body, masked, course, answers }) => {
            who.leases = course.leases();
            Decision::Forward {
                edits: forward_edits(route, who.stream),
                body,
                forwarded: Box::new(Forwarded {
                    request_id: held.opened.request_id.clone(),
                    asked: who.model.clone().unwrap_or_default(),
                    expose_pool: policy.expose_pool,
                    masked,
                    course,
                    answers,
                    who,
                }),
            }
        }
        Ok(Decided::Detect(question)) => Decision::Detect(question),
        Ok(Decided::Lease(wanted)) => Decision::Lease(wanted),
        Err(Denied { refusal, headers }) => {
            let mut finish = refused(&refusal, who, &held.opened);
            finish.reply.headers.extend(headers);
            Decision::Finish(finish)
        }
    }
}

/// Where a request pays.
struct Counter<'p, 't, T> {
    till: &'p Till<'t, T>,
    may_ask: bool,
}

/// What becomes of a request.
enum Decided<'p> {
    Forward {
        route: &'p Route,
        /// `None`: as it came.
        body: Option<Vec<u8>>,
        /// What its answer is restored from.
        masked: Option<Masked>,
        course: Box<Course>,
        answers: Answers,
    },
    Detect(Question),
    Lease(Vec<Lease>),
}

/// How the engine's answer is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Which of its usage the client has not asked for.
    pub strip: Strip,
    /// How many answers each of several prompts has; 0: there is one prompt.
    pub per_prompt: u64,
}

/// A body that may go out, and what is to be done with it.
struct Draft<'p, 'b> {
    route: &'p Route,
    body: &'b [u8],
    /// `None`: nobody may want them.
    texts: Option<Texts<'b>>,
    edits: Vec<Edit>,
    /// Whether the answer's text is asked to be JSON itself.
    is_structured: bool,
    /// What it will cost at most, but for the bytes that go out.
    spent: Spent,
    /// Bytes of what a model is given to read.
    text_bytes: u64,
    /// Bytes of media, which are no text: what they come to is stated.
    media_bytes: u64,
    /// What puts in how many tokens an answer may have; `None`: that cannot be put in.
    capping: Option<Capping<'b>>,
    answers: Answers,
}

/// A request whose answers can be bounded.
struct Capping<'b> {
    request: Request<'b>,
    api: Api<'static>,
    /// What the pool puts in where the caller has named nothing.
    default: Option<u64>,
}

impl Capping<'_> {
    fn edits(&self, cap: Option<u64>) -> Vec<Edit> {
        let tokens = cap.or(self.default);
        tokens.map(|tokens| max_tokens_edits(&self.request, &self.api, tokens)).unwrap_or_default()
    }
}

/// Fields by which a caller asks for an answer whose text is JSON.
const STRUCTURED: [&str; 4] = ["output_config", "output_format", "response_format", "text"];

/// What a request is decided by, beside its body.
struct Case<'p, 't, T> {
    policy: &'p Policy,
    permissions: Permissions<'p>,
    path: &'static str,
    salt: Option<&'p str>,
    caller: &'p Caller,
    material: &'p Material<'p>,
    counter: Counter<'p, 't, T>,
}

fn decide<'p, 't, T: Table>(
    policy: &'p Policy,
    held: &'p Held,
    who: &mut Who,
    body: &[u8],
    material: &'p Material<'p>,
    counter: Counter<'p, 't, T>,
) -> Result<Decided<'p>, Denied> {
    let caller = &held.signer.caller;
    let case = Case {
        caller,
        material,
        counter,
        policy,
        permissions: policy.access.of(caller)?,
        path: held.opened.path,
        salt: policy.salts.get(&caller.tenant).map(String::as_str),
    };
    match &held.opened.wanted {
        Ok(Wanted::Form { boundary }) => case.form(who, body, boundary),
        _ => case.json(who, body),
    }
}

impl<'p, T: Table> Case<'p, '_, T> {
    fn json(&self, who: &mut Who, body: &[u8]) -> Result<Decided<'p>, Denied> {
        let api = Api::of(self.path).ok_or_else(surface::not_found)?;
        let (request, texts) = self.parse(body, &api).map_err(|error| malformed(&error))?;
        who.stream = request.stream;
        let route = self.route(who, &request.model.value)?;
        check_bounds(&request, route.config.context)?;
        let pool = &route.config;
        if let Some(name) =
            fields::refused(&api, pool.engine, &pool.allow_fields, pool.cache_salt, &request)
        {
            return Err(not_allowed(name).into());
        }
        let contents =
            media::inspect(&request.media, &pool.media).map_err(|error| bad_media(&error))?;
        if pool.engine == Engine::Tgi && pool.media.hosts.is_empty() && names_pictures(body) {
            return Err(picture_in_text().into());
        }
        self.name(who, route, request.user(&api))?;
        let mut edits = self.json_edits(route, &request);
        let (usage, asked) = usage_edits(&request, &api, pool.engine);
        edits.extend(usage);
        let generates = !matches!(api, Api::Embeddings | Api::Rerank);
        let answers = Answers {
            strip: asked.strip(pool.engine),
            per_prompt: if request.prompts(&api) > 1 { request.n.unwrap_or(1).max(1) } else { 0 },
        };
        let draft = Draft {
            route,
            body,
            texts,
            edits,
            is_structured: request.fields.iter().any(|name| STRUCTURED.contains(&&**name)),
            spent: spending::asked(&request, &api, &contents, generates),
            text_bytes: request.text_bytes(),
            media_bytes: request.media.iter().map(|medium| medium.span.len() as u64).sum(),
            answers,
            capping: generates.then(|| Capping {
                default: pool.max_tokens.filter(|_| request.asked_tokens(&api).is_none()),
                api,
                request,
            }),
        };
        self.decided(who, draft)
    }

    /// What the ledger is told once pool and user are known.
    fn name(&self, who: &mut Who, route: &Route, user: Option<&str>) -> Result<(), Refusal> {
        let tenant = &self.caller.tenant;
        let user = user.filter(|_| self.policy.spending.user_from_body(tenant));
        who.user = spending::recorded_user(self.caller, user, self.material.key)?;
        who.organisation = self.policy.spending.organisation(tenant).cloned();
        who.pool = Some(route.pool.clone());
        who.price_version = Some(route.config.price_version.clone());
        Ok(())
    }

    /// The texts only where somebody may want them.
    fn parse<'b>(
        &self,
        body: &'b [u8],
        api: &Api<'_>,
    ) -> Result<(Request<'b>, Option<Texts<'b>>), RequestError> {
        if self.policy.masking.are_used() {
            return parse_with_texts(body, api).map(|(request, texts)| (request, Some(texts)));
        }
        parse(body).map(|request| (request, None))
    }

    fn form(&self, who: &mut Who, body: &[u8], boundary: &str) -> Result<Decided<'p>, Denied> {
        let form = form::parse(body, boundary).map_err(|error| bad_form(&error))?;
        who.stream = form.stream;
        let route = self.route(who, &form.model.value)?;
        let pool = &route.config;
        let mut names = form.names();
        let allowed = |name: &str| {
            form::FIELDS.contains(&name) || pool.allow_fields.iter().any(|field| field == name)
        };
        if let Some(name) = names.find(|name| !allowed(name)) {
            return Err(not_allowed(fields::told(name)).into());
        }
        form.check_media(body, &pool.media).map_err(|error| bad_media(&error))?;
        self.name(who, route, None)?;
        let texts = self.policy.masking.are_used().then(|| Texts::of_form(&form, body));
        let bytes = body.len() as u64;
        let draft = Draft {
            route,
            body,
            texts,
            edits: form_edits(route, &form),
            is_structured: false,
            spent: Spent { audio_bytes: bytes, media: 1, stream: form.stream, ..Spent::default() },
            text_bytes: 0,
            media_bytes: bytes,
            capping: None,
            answers: Answers::default(),
        };
        self.decided(who, draft)
    }

    /// What goes out, masked where the request has a policy, if it is paid for.
    fn decided(&self, who: &mut Who, mut draft: Draft<'p, '_>) -> Result<Decided<'p>, Denied> {
        let model = who.model.clone().unwrap_or_default();
        let policy = self.policy.masking.of(self.caller, &model)?;
        let mut masked = None;
        if let (Some(policy), Some(texts)) = (policy, &draft.texts) {
            let tenant = &self.caller.tenant;
            match privacy::mask(policy, self.material, tenant, texts, &mut who.masked)? {
                Outcome::Detect(question) => return Ok(Decided::Detect(question)),
                Outcome::Masked(more, mut what) => {
                    draft.edits.extend(more);
                    what.is_structured = draft.is_structured;
                    masked = Some(what);
                }
            }
        }
        self.paid(who, draft, masked)
    }

    /// Limits and budgets come last, so that nothing has to be undone.
    fn paid(
        &self,
        who: &Who,
        draft: Draft<'p, '_>,
        masked: Option<Masked>,
    ) -> Result<Decided<'p>, Denied> {
        let Draft {
            route,
            body,
            mut edits,
            spent,
            text_bytes,
            media_bytes,
            mut capping,
            answers,
            ..
        } = draft;
        let Counter { till, may_ask } = self.counter;
        let body_bytes = length_after(body, &edits).saturating_sub(media_bytes);
        let spent = Spent { body_bytes, ..spent };
        let pool = (route.pool.as_str(), &route.config);
        let rules = &self.policy.spending;
        let demand = Demand::of(rules, till, self.caller, who, pool, spent, text_bytes)?;
        let demand = demand.capped_where_needed(capping.is_some());
        if let (Some(capping), Some(most)) = (&mut capping, demand.most_of_an_answer()) {
            capping.default = capping.default.or(Some(most));
        }
        match spending::admit(&demand, till, may_ask)? {
            Admission::Lease(wanted) => Ok(Decided::Lease(wanted)),
            Admission::Admitted { course, cap } => {
                edits.extend(capping.iter().flat_map(|capping| capping.edits(cap)));
                edits.sort_by_key(|edit| edit.span.start);
                match edited(body, &edits) {
                    Ok(body) => Ok(Decided::Forward { route, body, masked, course, answers }),
                    Err(refusal) => {
                        course.settle(&Tally::default(), till);
                        Err(refusal.into())
                    }
                }
            }
        }
    }

    /// A model that this caller may not use does not exist for him.
    fn route(&self, who: &mut Who, model: &str) -> Result<&'p Route, Refusal> {
        let route = self.policy.routes.choose(model);
        let route = route.filter(|_| self.permissions.model(model)).ok_or_else(no_such_model)?;
        who.model = Some(model.to_owned());
        if self.permissions.allows(model, self.path) { Ok(route) } else { Err(forbidden()) }
    }

    /// What puts the engine's own name of the model and the tenant's salt in; nothing
    /// where both are there already.
    fn json_edits(&self, route: &Route, request: &Request<'_>) -> Vec<Edit> {
        let salt = self.salt.filter(|_| route.config.cache_salt);
        let salt = salt.map(|salt| format!(r#""cache_salt":"{salt}","#).into_bytes());
        let salt = salt.map(|member| Edit::insert(request.insert_at, member));
        let name = &route.config.model;
        let renamed = request.model.value != name.as_str();
        let span = request.model.span.clone();
        let model = renamed.then(|| Edit { span, text: json_string(name) });
        salt.into_iter().chain(model).collect()
    }
}

/// How long a body is with the edits, before it is known how many tokens are put in.
fn length_after(body: &[u8], edits: &[Edit]) -> u64 {
    let put_in: usize = edits.iter().map(|edit| edit.text.len()).sum();
    let taken_out: usize = edits.iter().map(|edit| edit.span.len()).sum();
    body.len().saturating_add(put_in).saturating_sub(taken_out) as u64
}

/// What puts the engine's own name of the model into a form.
fn form_edits(route: &Route, form: &Form<'_>) -> Vec<Edit> {
    let name = &route.config.model;
    let span = form.model.span.clone();
    let model = Edit { span, text: name.clone().into_bytes() };
    let renamed = form.model.value != name.as_str();
    renamed.then_some(model).into_iter().collect()
}

/// The body with the edits; `None`: there is none. A body that was not edited as it had
/// to be goes nowhere.
fn edited(body: &[u8], edits: &[Edit]) -> Result<Option<Vec<u8>>, Refusal> {
    if edits.is_empty() {
        return Ok(None);
    }
    let cannot = || Refusal::new(Code::FilterUnavailable, "The request could not be rewritten.");
    apply(body, edits).map(Some).ok_or_else(cannot)
}

/// Most tokens that can be asked for where the pool does not say how many it has room
/// for. Some engines read 32 bits, where a larger number is below zero: without end.
const TOKENS_MAX: u64 = i32::MAX as u64;

fn check_bounds(request: &Request<'_>, context: u64) -> Result<(), Refusal> {
    let tokens_max = if context == 0 { TOKENS_MAX } else { context.min(TOKENS_MAX) };
    in_bounds("n", request.n, CHOICES_MAX)?;
    in_bounds("best_of", request.best_of, CHOICES_MAX)?;
    in_bounds("max_tokens", request.max_tokens, tokens_max)?;
    in_bounds("max_completion_tokens", request.max_completion_tokens, tokens_max)?;
    in_bounds("max_output_tokens", request.max_output_tokens, tokens_max)
}

fn in_bounds(param: &'static str, value: Option<u64>, max: u64) -> Result<(), Refusal> {
    if value.is_none_or(|value| (1..=max).contains(&value)) {
        return Ok(());
    }
    let message = format!("`{param}` must be 1 to {max}.");
    Err(Refusal::new(Code::InvalidRequest, message).with_param(param))
}

fn forward_edits(route: &Route, stream: bool) -> Vec<HeaderEdit> {
    let timing = if stream {
        HeaderEdit::set(STREAM_HEADER, "1")
    } else {
        HeaderEdit::set(TIMEOUT_HEADER, route.config.timeout_ms.to_string())
    };
    vec![HeaderEdit::set(POOL_HEADER, route.config.cluster.clone()), timing]
}

fn malformed(error: &RequestError) -> Refusal {
    let code = match error {
        RequestError::InvalidJson { .. } => Code::InvalidJson,
        RequestError::DuplicateKey(_) => Code::DuplicateKey,
        _ => Code::InvalidRequest,
    };
    with_param(Refusal::new(code, error.to_string()), error.param())
}

fn picture_in_text() -> Refusal {
    Refusal::new(
        Code::InvalidRequest,
        "A text names a picture (`![](…)`) that the inference server would fetch.",
    )
}

fn bad_form(error: &FormError) -> Refusal {
    let code = match error {
        FormError::DuplicateField(_) => Code::DuplicateKey,
        _ => Code::InvalidRequest,
    };
    with_param(Refusal::new(code, error.to_string()), error.param())
}

fn bad_media(error: &MediaError) -> Refusal {
    Refusal::new(Code::InvalidRequest, error.to_string())
}

/// `name` as `fields` tells it: a plain word, or a question mark in the place of what
/// the caller made up.
fn not_allowed(name: &str) -> Refusal {
    let refusal = Refusal::new(
        Code::FieldNotAllowed,
        "A field is set that callers may not set for this model; see `param`.",
    );
    if name == fields::UNTOLD { refusal } else { refusal.with_param(name.to_owned()) }
}

fn with_param(refusal: Refusal, param: Option<&'static str>) -> Refusal {
    match param {
        Some(param) => refusal.with_param(param),
        None => refusal,
    }
}
