//! The whole body of a request is there.

mod draft;
mod faults;

pub use draft::Answers;

use super::{forbidden, no_such_model, refused};
use crate::Policy;
use crate::command::{Finish, HeaderEdit};
use crate::exchange::{Forwarded, Held};
use crate::privacy::{self, Masked, Material, Outcome, Question};
use crate::spending::{self, Admission, Course, Demand, Denied, Till};
use crate::surface::{self, Wanted};
use auth::Caller;
use auth::authorize::Permissions;
use billing::bound::Asked;
use billing::table::Table;
use chat::billing_edits::usage_edits;
use chat::edit::{Edit, json_string};
use chat::fields;
use chat::form::{self, Form};
use chat::markdown::names_pictures;
use chat::media;
use chat::path::Api;
use chat::request::{Request, RequestError, parse, parse_with_texts};
use chat::texts::Texts;
use contract::lease::Wanted as Lease;
use contract::names::{POOL_HEADER, STREAM_HEADER, TIMEOUT_HEADER};
use contract::policy::Engine;
use contract::refusal::Refusal;
use contract::usage::{Tally, Who};
use draft::{Capping, Draft, edited, length_after};
use faults::{bad_form, bad_media, check_bounds, malformed, not_allowed, picture_in_text};
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
    match decide(policy, held, &mut who, body, material, (till, may_ask)) {
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
    till: &'p Till<'t, T>,
    /// Whether the control plane may still be asked for leases.
    may_ask: bool,
}

fn decide<'p, 't, T: Table>(
    policy: &'p Policy,
    held: &'p Held,
    who: &mut Who,
    body: &[u8],
    material: &'p Material<'p>,
    (till, may_ask): (&'p Till<'t, T>, bool),
) -> Result<Decided<'p>, Denied> {
    let caller = &held.signer.caller;
    let case = Case {
        caller,
        material,
        till,
        may_ask,
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
        let (usage, wanted) = usage_edits(&request, &api, pool.engine);
        edits.extend(usage);
        let generates = !matches!(api, Api::Embeddings | Api::Rerank);
        let answers = Answers {
            strip: wanted.strip(pool.engine),
            per_prompt: if request.prompts(&api) > 1 { request.n.unwrap_or(1).max(1) } else { 0 },
        };
        let draft = Draft {
            route,
            body,
            texts,
            edits,
            is_structured: request.fields.iter().any(|name| STRUCTURED.contains(&&**name)),
            asked: spending::asked(&request, &api, &contents, generates),
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
            asked: Asked { audio_bytes: bytes, media: 1, stream: form.stream, ..Asked::default() },
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
            asked,
            text_bytes,
            media_bytes,
            mut capping,
            answers,
            ..
        } = draft;
        let body_bytes = length_after(body, &edits).saturating_sub(media_bytes);
        let asked = Asked { body_bytes, ..asked };
        let pool = (route.pool.as_str(), &route.config);
        let rules = &self.policy.spending;
        let demand = Demand::of(rules, self.till, self.caller, who, pool, asked, text_bytes)?;
        let demand = demand.capped_where_needed(capping.is_some());
        if let (Some(capping), Some(most)) = (&mut capping, demand.most_of_an_answer()) {
            capping.default = capping.default.or(Some(most));
        }
        match spending::admit(&demand, self.till, self.may_ask)? {
            Admission::Lease(wanted) => Ok(Decided::Lease(wanted)),
            Admission::Admitted { course, cap } => {
                edits.extend(capping.iter().flat_map(|capping| capping.edits(cap)));
                edits.sort_by_key(|edit| edit.span.start);
                match edited(body, &edits) {
                    Ok(body) => Ok(Decided::Forward { route, body, masked, course, answers }),
                    Err(refusal) => {
                        course.settle(&Tally::default(), self.till);
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

/// What puts the engine's own name of the model into a form.
fn form_edits(route: &Route, form: &Form<'_>) -> Vec<Edit> {
    let name = &route.config.model;
    let span = form.model.span.clone();
    let model = Edit { span, text: name.clone().into_bytes() };
    let renamed = form.model.value != name.as_str();
    renamed.then_some(model).into_iter().collect()
}

fn forward_edits(route: &Route, stream: bool) -> Vec<HeaderEdit> {
    let timing = if stream {
        HeaderEdit::set(STREAM_HEADER, "1")
    } else {
        HeaderEdit::set(TIMEOUT_HEADER, route.config.timeout_ms.to_string())
    };
    vec![HeaderEdit::set(POOL_HEADER, route.config.cluster.clone()), timing]
}
