//! `tollgate usage`, `tollgate budgets` and `tollgate reconcile`.

use super::{Format, Target};
use clap::{Args, ValueEnum};

/// `tollgate usage`.
#[derive(Debug, Args)]
pub struct Usage {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// Add up by this instead of showing every record.
    #[arg(long, value_enum)]
    pub by: Option<By>,
    /// Which records.
    #[command(flatten)]
    pub of: Of,
    /// From when on: a time (RFC 3339), a day, or how long ago (24h, 7d).
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Until when, that moment not included; the same forms.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: ReportFormat,
}

/// Which records are meant; each that is given must fit.
#[derive(Debug, Default, Args)]
pub struct Of {
    /// Only those of this organisation.
    #[arg(long, value_name = "NAME")]
    pub organisation: Option<String>,
    /// Only those of this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Only those with this key, by its id.
    #[arg(long, value_name = "ID")]
    pub key: Option<String>,
    /// Only those of this user.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Only those for this model.
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Only those that this pool served.
    #[arg(long, value_name = "NAME")]
    pub pool: Option<String>,
}

impl Of {
    /// As the admin API has it.
    pub fn query(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("organisation", &self.organisation),
            ("tenant", &self.tenant),
            ("key", &self.key),
            ("user", &self.user),
            ("model", &self.model),
            ("pool", &self.pool),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// `tollgate budgets`.
#[derive(Debug, Args)]
pub struct Budgets {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// Only those of this tenant, of its keys and of its users.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: BudgetsFormat,
}

/// `tollgate reconcile`.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// From when on: a time (RFC 3339), a day, or how long ago. Left out: a day ago.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Until when; the same forms. Left out: now.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only this pool.
    #[arg(long, value_name = "NAME")]
    pub pool: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people.
    #[default]
    Table,
    /// For programs: one array.
    Json,
    /// For programs that read line by line.
    Jsonl,
    /// For spreadsheets.
    Csv,
    /// The charges of each day in the columns of FOCUS 1.2, as CSV.
    Focus,
}

/// How budgets are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum BudgetsFormat {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// What usage is added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The organisation of the tenant.
    Organisation,
    /// Who is billed.
    Tenant,
    /// The key's id.
    Key,
    /// The user.
    User,
    /// The model that was asked for.
    Model,
    /// The pool that served.
    Pool,
    /// The day, in UTC.
    Day,
}

impl By {
    /// The name that the admin API has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            By::Organisation => "organisation",
            By::Tenant => "tenant",
            By::Key => "key",
            By::User => "user",
            By::Model => "model",
            By::Pool => "pool",
            By::Day => "day",
        }
    }
}
