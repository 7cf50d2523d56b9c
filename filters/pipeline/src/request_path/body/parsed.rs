//! A body, read once, and what it is held against at each pool.

use super::draft::Answers;
use super::faults::{bad_form, bad_media, check_bounds, malformed, not_allowed, picture_in_text};
use crate::spending;
use crate::surface;
use billing::bound::Asked;
use chat::billing_edits::{max_tokens_edits, usage_edits};
use chat::edit::{Edit, json_string};
use chat::fields;
use chat::form::{self, Form};
use chat::markdown::names_pictures;
use chat::media::{self, Contents};
use chat::medium::Place;
use chat::path::Api;
use chat::request::{Request, parse, parse_with_texts};
use chat::texts::Texts;
use contract::policy::{Engine, MediaKind, PoolConfig};
use contract::refusal::Refusal;

/// Fields by which a caller asks for an answer whose text is JSON.
const STRUCTURED: [&str; 4] = ["output_config", "output_format", "response_format", "text"];

/// What was read of a body.
pub(in crate::request_path) enum Parsed<'b> {
    /// Of a JSON body.
    Json(Box<Request<'b>>, Api<'static>),
    /// Of a form.
    Form(Box<Form<'b>>),
}

impl<'b> Parsed<'b> {
    /// Of a JSON body on `path`; its texts only where somebody may want them.
    pub(super) fn json(
        body: &'b [u8],
        path: &'static str,
        wants_texts: bool,
    ) -> Result<(Parsed<'b>, Option<Texts<'b>>), Refusal> {
        let api = Api::of(path).ok_or_else(surface::not_found)?;
        let read = if wants_texts {
            parse_with_texts(body, &api).map(|(request, texts)| (request, Some(texts)))
        } else {
            parse(body).map(|request| (request, None))
        };
        let (request, texts) = read.map_err(|error| malformed(&error))?;
        Ok((Parsed::Json(Box::new(request), api), texts))
    }

    /// Of a form.
    pub(super) fn form(
        body: &'b [u8],
        boundary: &str,
        wants_texts: bool,
    ) -> Result<(Parsed<'b>, Option<Texts<'b>>), Refusal> {
        let form = form::parse(body, boundary).map_err(|error| bad_form(&error))?;
        let texts = wants_texts.then(|| Texts::of_form(&form, body));
        Ok((Parsed::Form(Box::new(form)), texts))
    }

    /// The name that was asked for.
    pub(super) fn model(&self) -> &str {
        match self {
            Parsed::Json(request, _) => &request.model.value,
            Parsed::Form(form) => &form.model.value,
        }
    }

    /// Whether a stream was asked for.
    pub(in crate::request_path) fn stream(&self) -> bool {
        match self {
            Parsed::Json(request, _) => request.stream,
            Parsed::Form(form) => form.stream,
        }
    }

    /// The user that the body names.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Parsed::Json(request, api) => request.user(api),
            Parsed::Form(_) => None,
        }
    }

    /// Bytes of what a model is given to read.
    pub(in crate::request_path) fn text_bytes(&self) -> u64 {
        match self {
            Parsed::Json(request, _) => request.text_bytes(),
            Parsed::Form(_) => 0,
        }
    }

    /// Bytes of media, which are no text: what they come to is stated.
    pub(super) fn media_bytes(&self, body: &[u8]) -> u64 {
        match self {
            Parsed::Json(request, _) => {
                request.media.iter().map(|medium| medium.span.len() as u64).sum()
            }
            Parsed::Form(_) => body.len() as u64,
        }
    }

    /// Whether it carries a medium of that kind; of a file only the pool knows which it is.
    pub(super) fn has_media(&self, kind: MediaKind) -> bool {
        match self {
            Parsed::Json(request, _) => {
                request.media.iter().any(|medium| medium.place == Place::Medium(kind))
            }
            Parsed::Form(_) => kind == MediaKind::Audio,
        }
    }

    /// Whether the answer's text is asked to be JSON itself.
    pub(super) fn is_structured(&self) -> bool {
        match self {
            Parsed::Json(request, _) => {
                request.fields.iter().any(|name| STRUCTURED.contains(&&**name))
            }
            Parsed::Form(_) => false,
        }
    }

    /// Tokens of one answer that the caller has asked for.
    pub(in crate::request_path) fn asked_tokens(&self) -> Option<u64> {
        match self {
            Parsed::Json(request, api) => request.asked_tokens(api),
            Parsed::Form(_) => None,
        }
    }

    /// Whether a bound of the answers can be put in.
    pub(in crate::request_path) fn generates(&self) -> bool {
        match self {
            Parsed::Json(_, api) => !matches!(api, Api::Embeddings | Api::Rerank),
            Parsed::Form(_) => false,
        }
    }

    /// Whether a pool may be given it, and what it carries.
    ///
    /// # Errors
    /// `invalid_request`, `field_not_allowed`.
    pub(in crate::request_path) fn check(
        &self,
        pool: &PoolConfig,
        body: &[u8],
    ) -> Result<Contents, Refusal> {
        self.check_fields(pool)?;
        self.check_media(pool, body)
    }

    /// Whether a pool may be given what `other` may be given: its media are only looked at
    /// where the rules of the two differ.
    pub(in crate::request_path) fn suits(
        &self,
        pool: &PoolConfig,
        other: &PoolConfig,
        body: &[u8],
    ) -> bool {
        let is_tgi = |pool: &PoolConfig| pool.engine == Engine::Tgi;
        let has_same_rules = pool.media == other.media && is_tgi(pool) == is_tgi(other);
        self.check_fields(pool).is_ok() && (has_same_rules || self.check_media(pool, body).is_ok())
    }

    fn check_fields(&self, pool: &PoolConfig) -> Result<(), Refusal> {
        match self {
            Parsed::Json(request, api) => check_json_fields(request, api, pool),
            Parsed::Form(form) => check_form_fields(form, pool),
        }
    }

    fn check_media(&self, pool: &PoolConfig, body: &[u8]) -> Result<Contents, Refusal> {
        match self {
            Parsed::Json(request, _) => check_json_media(request, pool, body),
            Parsed::Form(form) => {
                let checked = form.check_media(body, &pool.media);
                checked.map(|_| Contents::default()).map_err(|error| bad_media(&error))
            }
        }
    }

    /// What bounds it, but for the bytes that go out.
    pub(super) fn asked(&self, contents: &Contents, body: &[u8]) -> Asked {
        match self {
            Parsed::Json(request, api) => spending::asked(request, api, contents, self.generates()),
            Parsed::Form(form) => Asked {
                audio_bytes: body.len() as u64,
                media: 1,
                stream: form.stream,
                ..Asked::default()
            },
        }
    }

    /// What makes it the pool's: the engine's own name of the model, the tenant's salt, and
    /// on a stream the wish for usage; and how the answer is to be read then. Nothing where
    /// all of it is there already.
    pub(in crate::request_path) fn edits(
        &self,
        pool: &PoolConfig,
        salt: Option<&str>,
    ) -> (Vec<Edit>, Answers) {
        match self {
            Parsed::Json(request, api) => json_edits(request, api, pool, salt),
            Parsed::Form(form) => (form_edits(form, pool), Answers::default()),
        }
    }

    /// What bounds each answer by so many tokens.
    pub(in crate::request_path) fn cap_edits(&self, tokens: u64) -> Vec<Edit> {
        match self {
            Parsed::Json(request, api) if self.generates() => {
                max_tokens_edits(request, api, tokens)
            }
            _ => Vec::new(),
        }
    }
}

fn check_json_fields(
    request: &Request<'_>,
    api: &Api<'_>,
    pool: &PoolConfig,
) -> Result<(), Refusal> {
    check_bounds(request, pool.context)?;
    let refused = fields::refused(api, pool.engine, &pool.allow_fields, pool.cache_salt, request);
    refused.map_or(Ok(()), |name| Err(not_allowed(name)))
}

fn check_json_media(
    request: &Request<'_>,
    pool: &PoolConfig,
    body: &[u8],
) -> Result<Contents, Refusal> {
    let contents = media::inspect(&request.media, &pool.media);
    let contents = contents.map_err(|error| bad_media(&error))?;
    if pool.engine == Engine::Tgi && pool.media.hosts.is_empty() && names_pictures(body) {
        return Err(picture_in_text());
    }
    Ok(contents)
}

fn check_form_fields(form: &Form<'_>, pool: &PoolConfig) -> Result<(), Refusal> {
    let allowed = |name: &str| {
        form::FIELDS.contains(&name) || pool.allow_fields.iter().any(|field| field == name)
    };
    let refused = form.names().find(|name| !allowed(name));
    refused.map_or(Ok(()), |name| Err(not_allowed(fields::told(name))))
}

fn json_edits(
    request: &Request<'_>,
    api: &Api<'_>,
    pool: &PoolConfig,
    salt: Option<&str>,
) -> (Vec<Edit>, Answers) {
    let salt = salt.filter(|_| pool.cache_salt);
    let salt = salt.map(|salt| format!(r#""cache_salt":"{salt}","#).into_bytes());
    let salt = salt.map(|member| Edit::insert(request.insert_at, member));
    let renamed = request.model.value != pool.model.as_str();
    let span = request.model.span.clone();
    let model = renamed.then(|| Edit { span, text: json_string(&pool.model) });
    let (usage, wanted) = usage_edits(request, api, pool.engine);
    let answers = Answers {
        strip: wanted.strip(pool.engine),
        per_prompt: if request.prompts(api) > 1 { request.n.unwrap_or(1).max(1) } else { 0 },
    };
    (salt.into_iter().chain(model).chain(usage).collect(), answers)
}

fn form_edits(form: &Form<'_>, pool: &PoolConfig) -> Vec<Edit> {
    let span = form.model.span.clone();
    let model = Edit { span, text: pool.model.clone().into_bytes() };
    let renamed = form.model.value != pool.model.as_str();
    renamed.then_some(model).into_iter().collect()
}
