//! The whole body of a request is there.

use super::{forbidden, no_such_model, refused};
use crate::Policy;
use crate::command::{Finish, HeaderEdit};
use crate::exchange::{Forwarded, Held};
use crate::privacy::{self, Masked, Material, Outcome, Question};
use crate::surface::{self, Wanted};
use auth::Caller;
use auth::authorize::Permissions;
use chat::edit::{Edit, apply, json_string};
use chat::fields;
use chat::form::{self, Form, FormError};
use chat::markdown::names_pictures;
use chat::media::{self, MediaError};
use chat::path::Api;
use chat::request::{Request, RequestError, parse, parse_with_texts};
use chat::texts::Texts;
use contract::limits::CHOICES_MAX;
use contract::names::{POOL_HEADER, STREAM_HEADER, TIMEOUT_HEADER};
use contract::policy::Engine;
use contract::refusal::{Code, Refusal};
use contract::usage::Who;
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
    /// It goes to a pool.
    Forward {
        /// Headers that lead there.
        edits: Vec<HeaderEdit>,
        /// The body for the engine, where it is another one.
        body: Option<Vec<u8>>,
        /// What is known when the answer comes.
        forwarded: Forwarded,
    },
}

/// More of the body has arrived than is taken.
#[must_use]
pub fn on_body_too_large(policy: &Policy, held: &Held) -> Finish {
    refused(&surface::too_large(policy.max_body_bytes), held.who(), &held.opened)
}

/// The whole body is there, and `material` to mask it with.
#[must_use]
pub fn on_body(policy: &Policy, held: &Held, body: &[u8], material: &Material<'_>) -> Decision {
    if let Some(signed) = &held.signer.body
        && let Err(refusal) = signed.check(body)
    {
        return Decision::Refused(refusal);
    }
    let mut who = held.who();
    match decide(policy, held, &mut who, body, material) {
        Ok(Decided::Forward { route, body, masked }) => Decision::Forward {
            edits: forward_edits(route, who.stream),
            body,
            forwarded: Forwarded {
                request_id: held.opened.request_id.clone(),
                asked: who.model.clone().unwrap_or_default(),
                expose_pool: policy.expose_pool,
                masked,
                who,
            },
        },
        Ok(Decided::Detect(question)) => Decision::Detect(question),
        Err(refusal) => Decision::Finish(refused(&refusal, who, &held.opened)),
    }
}

/// What becomes of a request.
enum Decided<'p> {
    Forward {
        route: &'p Route,
        /// `None`: as it came.
        body: Option<Vec<u8>>,
        /// What its answer is restored from.
        masked: Option<Masked>,
    },
    Detect(Question),
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
}

/// Fields by which a caller asks for an answer whose text is JSON.
const STRUCTURED: [&str; 4] = ["output_config", "output_format", "response_format", "text"];

/// What a request is decided by, beside its body.
struct Case<'p> {
    policy: &'p Policy,
    permissions: Permissions<'p>,
    path: &'static str,
    salt: Option<&'p str>,
    caller: &'p Caller,
    material: &'p Material<'p>,
}

fn decide<'p>(
    policy: &'p Policy,
    held: &'p Held,
    who: &mut Who,
    body: &[u8],
    material: &'p Material<'p>,
) -> Result<Decided<'p>, Refusal> {
    let caller = &held.signer.caller;
    let case = Case {
        caller,
        material,
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

impl<'p> Case<'p> {
    fn json(&self, who: &mut Who, body: &[u8]) -> Result<Decided<'p>, Refusal> {
        let api = Api::of(self.path).ok_or_else(surface::not_found)?;
        let (request, texts) = self.parse(body, &api).map_err(|error| malformed(&error))?;
        who.stream = request.stream;
        let route = self.route(who, &request.model.value)?;
        check_bounds(&request, route.config.context)?;
        let pool = &route.config;
        if let Some(name) =
            fields::refused(&api, pool.engine, &pool.allow_fields, pool.cache_salt, &request)
        {
            return Err(not_allowed(name));
        }
        media::check(&request.media, &pool.media).map_err(|error| bad_media(&error))?;
        if pool.engine == Engine::Tgi && pool.media.hosts.is_empty() && names_pictures(body) {
            return Err(picture_in_text());
        }
        who.pool = Some(route.pool.clone());
        who.price_version = Some(pool.price_version.clone());
        let edits = self.json_edits(route, &request);
        let is_structured = request.fields.iter().any(|name| STRUCTURED.contains(&&**name));
        self.decided(who, Draft { route, body, texts, edits, is_structured })
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

    fn form(&self, who: &mut Who, body: &[u8], boundary: &str) -> Result<Decided<'p>, Refusal> {
        let form = form::parse(body, boundary).map_err(|error| bad_form(&error))?;
        who.stream = form.stream;
        let route = self.route(who, &form.model.value)?;
        let pool = &route.config;
        let mut names = form.names();
        let allowed = |name: &str| {
            form::FIELDS.contains(&name) || pool.allow_fields.iter().any(|field| field == name)
        };
        if let Some(name) = names.find(|name| !allowed(name)) {
            return Err(not_allowed(fields::told(name)));
        }
        form.check_media(body, &pool.media).map_err(|error| bad_media(&error))?;
        who.pool = Some(route.pool.clone());
        who.price_version = Some(pool.price_version.clone());
        let texts = self.policy.masking.are_used().then(|| Texts::of_form(&form, body));
        let edits = form_edits(route, &form);
        self.decided(who, Draft { route, body, texts, edits, is_structured: false })
    }

    /// What goes out, masked where the request has a policy.
    fn decided(&self, who: &mut Who, draft: Draft<'p, '_>) -> Result<Decided<'p>, Refusal> {
        let Draft { route, body, texts, mut edits, is_structured } = draft;
        let model = who.model.clone().unwrap_or_default();
        let policy = self.policy.masking.of(self.caller, &model)?;
        let mut masked = None;
        if let (Some(policy), Some(texts)) = (policy, &texts) {
            let tenant = &self.caller.tenant;
            match privacy::mask(policy, self.material, tenant, texts, &mut who.masked)? {
                Outcome::Detect(question) => return Ok(Decided::Detect(question)),
                Outcome::Masked(more, mut what) => {
                    edits.extend(more);
                    edits.sort_by_key(|edit| edit.span.start);
                    what.is_structured = is_structured;
                    masked = Some(what);
                }
            }
        }
        Ok(Decided::Forward { route, body: edited(body, &edits)?, masked })
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
