//! The command line, as the contract has it.

mod ledger;
mod mask;
mod report;
mod rollout;

pub use ledger::{CorrectLedger, Ledger, MigrateLedger, VerifyLedger};
pub use mask::{Mask, Output};
pub use report::{Budgets, BudgetsFormat, By, Reconcile, ReportFormat, Usage};
pub use rollout::{OneRollout, Rollout, SetRollout, SwitchRollout};

use ::ledger::Head;
use admin::when::{NotATime, Span};
use clap::{Args, Parser, Subcommand, ValueEnum};
use model::Budget;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Done.
pub const DONE: u8 = 0;
/// The answer is no.
pub const REFUSED: u8 = 1;
/// Wrong usage; most of it is found by clap, which has the same code.
pub const WRONG_USAGE: u8 = 2;
/// The control plane cannot be reached.
pub const UNREACHABLE: u8 = 3;

/// The environment variable with the token that goes with `--admin`.
pub const TOKEN_VARIABLE: &str = "TOLLGATE_ADMIN_TOKEN";

/// A gateway between applications and self-hosted LLM inference servers.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the control plane and an Envoy of its own.
    #[command(after_help = "Example:\n  tollgate up -c tollgate.yaml")]
    Up(ConfigFile),
    /// Run the control plane alone; Envoy runs beside it.
    #[command(after_help = "Example:\n  tollgate serve -c tollgate.yaml")]
    Serve(ConfigFile),
    /// Print the Envoy bootstrap that goes with `serve`.
    ///
    /// The journal that `up` keeps against a SIGKILL of Envoy needs an Envoy of
    /// Tollgate's own. A neighbour hands each usage line to the kernel at once
    /// with --file-flush-min-size-kb 0 (Envoy 1.37 and later), or within some time
    /// with --file-flush-interval-msec.
    #[command(after_help = "Example:\n  tollgate bootstrap -c tollgate.yaml > bootstrap.json\n  \
                            envoy -c bootstrap.json --file-flush-min-size-kb 0")]
    Bootstrap(Bootstrap),
    /// Say whether a configuration is valid, or everything that is wrong with it.
    #[command(after_help = "Example:\n  tollgate check tollgate.yaml")]
    Check(Check),
    /// Print the JSON Schema of the configuration, for editors.
    #[command(after_help = "Example:\n  tollgate schema > tollgate.schema.json")]
    Schema,
    /// Show what a masking policy finds in a text: the text as an engine would have it.
    ///
    /// Placeholders have other tags at every run: who has what is printed cannot try values
    /// against them.
    #[command(after_help = "Examples:\n  tollgate mask letter.txt\n  \
                            tollgate mask -c tollgate.yaml --policy strict --format json < chat.json")]
    Mask(Mask),
    /// Create, list, rotate and revoke API keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Show what was used: every record, newest last, or sums.
    #[command(after_help = "Examples:\n  tollgate usage --since 24h\n  \
                            tollgate usage --by tenant --format csv\n  \
                            tollgate usage --since 2026-11-01 --format focus > november.csv")]
    Usage(Usage),
    /// Show what of each budget is spent, held by gateways and left.
    #[command(after_help = "Examples:\n  tollgate budgets\n  \
                            tollgate budgets --tenant acme --format json")]
    Budgets(Budgets),
    /// Move requests for a model between the pools of its split.
    #[command(subcommand)]
    Rollout(Rollout),
    /// Verify, move and correct the ledger.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Hold the ledger's tokens against those that the engines counted themselves.
    #[command(after_help = "Examples:\n  tollgate reconcile --since 24h\n  \
                            tollgate reconcile --pool llama-70b --format json")]
    Reconcile(Reconcile),
    /// Show who did what, and prove that nobody has changed it since.
    #[command(subcommand)]
    Audit(Audit),
    /// Show what runs: Envoys, configuration, pools and endpoints.
    #[command(after_help = "Example:\n  tollgate status --format json")]
    Status(Status),
}

/// The configuration file.
#[derive(Clone, Debug, Args)]
pub struct ConfigFile {
    /// The configuration file.
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "tollgate.yaml")]
    pub config: PathBuf,
}

/// `tollgate bootstrap`.
#[derive(Debug, Args)]
pub struct Bootstrap {
    /// The configuration file.
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "tollgate.yaml")]
    pub config: PathBuf,
    /// The id under which this Envoy is known to the control plane.
    #[arg(long, value_name = "NAME", default_value = crate::bootstrap::NODE, value_parser = node)]
    pub node: String,
    /// Where this Envoy's admin interface listens, instead of control.envoy_admin;
    /// on loopback only, for it asks nobody who he is.
    #[arg(long, value_name = "ADDRESS", value_parser = loopback)]
    pub envoy_admin: Option<SocketAddr>,
    /// A file on Envoy's machine with `Bearer TOKEN` and no line end, read when
    /// Envoy starts. Without it control.xds.token stands in the bootstrap: keep
    /// that to yourself then.
    #[arg(long, value_name = "PATH")]
    pub token_file: Option<PathBuf>,
}

/// Longest name of an Envoy, in bytes; it stands in every line about it.
const NODE_BYTES_MAX: usize = 128;

fn node(text: &str) -> Result<String, String> {
    let fits = (1..=NODE_BYTES_MAX).contains(&text.len());
    if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    Err(format!("allowed: 1 to {NODE_BYTES_MAX} visible ASCII characters without spaces"))
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse::<SocketAddr>().map_err(|error| error.to_string())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("is not a loopback address".to_owned())
    }
}

/// `tollgate check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The configuration file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Which running Tollgate is meant.
#[derive(Debug, Args)]
pub struct Target {
    /// The configuration file of a Tollgate on this machine.
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "tollgate.yaml")]
    pub config: PathBuf,
    /// The address of an admin API; its token is read from TOLLGATE_ADMIN_TOKEN.
    #[arg(long, value_name = "URL", conflicts_with = "config")]
    pub admin: Option<String>,
}

/// `tollgate keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make a key and show it, this once.
    #[command(
        after_help = "Example:\n  tollgate keys create --tenant acme --name ci --expires 30d"
    )]
    Create(CreateKey),
    /// List all keys; the keys themselves are not stored and not shown.
    #[command(after_help = "Example:\n  tollgate keys list --format json")]
    List(ListKeys),
    /// Replace a key by a new one with the same rights, and show that, this once. The old
    /// one goes on for a while, so that nobody has to change keys at the same moment.
    #[command(after_help = "Example:\n  tollgate keys rotate key_2f1c9a0b7d3e4c58 --overlap 7d")]
    Rotate(RotateKey),
    /// Make a key void.
    #[command(after_help = "Example:\n  tollgate keys revoke key_2f1c9a0b7d3e4c58")]
    Revoke(RevokeKey),
}

/// `tollgate keys create`.
#[derive(Debug, Args)]
pub struct CreateKey {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// Whom it bills.
    #[arg(long)]
    pub tenant: String,
    /// What it is for.
    #[arg(long)]
    pub name: String,
    /// Whom it is for.
    #[arg(long)]
    pub user: Option<String>,
    /// A role; may be given several times. None: all that the tenant has.
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// A pattern over model names, such as 'qwen-*'; may be given several times. It
    /// bounds the key beside its roles. None: no further bound.
    #[arg(long = "model", value_name = "PATTERN")]
    pub models: Vec<String>,
    /// The masking policy of its requests, one of masking.policies. None: the model's, else
    /// the tenant's.
    #[arg(long, value_name = "NAME")]
    pub masking: Option<String>,
    /// Its limits, one of limits. They hold beside those of its tenant.
    #[arg(long, value_name = "NAME")]
    pub limits: Option<String>,
    /// What it may spend, such as 250/month, 0.50/day, 5/hour or 1000/total. It holds beside
    /// the budgets of its tenant and user. Left out: no budget of its own.
    #[arg(long, value_name = "DOLLARS/PERIOD", value_parser = budget)]
    pub budget: Option<Budget>,
    /// How long it lives, such as 12h or 30d. Left out: until it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub expires: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// A duration as the admin API takes it, refused here already when it is none.
fn span(text: &str) -> Result<String, NotATime> {
    text.parse::<Span>().map(|_| text.to_owned())
}

fn budget(text: &str) -> Result<Budget, String> {
    text.parse()
}

/// The same, and no time at all.
fn overlap(text: &str) -> Result<String, NotATime> {
    if text == "0s" { Ok(text.to_owned()) } else { span(text) }
}

/// `tollgate keys list`.
#[derive(Debug, Args)]
pub struct ListKeys {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `tollgate keys rotate`.
#[derive(Debug, Args)]
pub struct RotateKey {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// The key's id, as `keys list` shows it.
    pub id: String,
    /// How long the old key goes on, 0s to 90d. Left out: a day.
    #[arg(long, value_name = "DURATION", value_parser = overlap)]
    pub overlap: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `tollgate keys revoke`.
#[derive(Debug, Args)]
pub struct RevokeKey {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// The key's id, as `keys list` shows it.
    pub id: String,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `tollgate audit`.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List the rows of the audit trail, newest last.
    #[command(after_help = "Examples:\n  tollgate audit list --since 24h\n  \
                            tollgate audit list --action key.revoked --format json")]
    List(ListAudit),
    /// Hold every row against the one before, and name the first that is broken.
    ///
    /// It prints the head of the trail. Keep it elsewhere and give it next time: who can
    /// write the database can also write the whole trail anew, or cut off its end, and
    /// only a head from before shows that.
    #[command(after_help = "Examples:\n  tollgate audit verify\n  \
                            tollgate audit verify --head 12:5f0c…")]
    Verify(VerifyAudit),
}

/// `tollgate audit list`.
#[derive(Debug, Args)]
pub struct ListAudit {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// From when on: a time (RFC 3339), a day, or how long ago (24h, 7d).
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Until when, that moment not included; the same forms.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only this action, such as key.created.
    #[arg(long)]
    pub action: Option<String>,
    /// Only what was done to this, such as a key's id.
    #[arg(long)]
    pub subject: Option<String>,
    /// At most so many rows, the newest.
    #[arg(long, value_name = "ROWS", default_value_t = 1_000)]
    pub limit: u32,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `tollgate audit verify`.
#[derive(Debug, Args)]
pub struct VerifyAudit {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// A head that was printed before: it must still be in the trail.
    #[arg(long, value_name = "ROW:HASH")]
    pub head: Option<Head>,
    /// How to print the outcome.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `tollgate status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(line: &str) -> Result<Command, i32> {
        let words = std::iter::once("tollgate").chain(line.split_whitespace());
        Arguments::try_parse_from(words).map(|a| a.command).map_err(|e| e.exit_code())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn leaves(command: &clap::Command, found: &mut Vec<(String, bool)>) {
            if command.get_subcommands().next().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                found.push((command.get_name().to_owned(), help.contains("tollgate ")));
            }
            command.get_subcommands().for_each(|sub| leaves(sub, found));
        }
        let mut found = Vec::new();
        leaves(&Arguments::command(), &mut found);
        assert_eq!(found.len(), 24);
        assert!(found.iter().all(|(_, example)| *example), "{found:?}");
    }

    #[test]
    fn wrong_usage_is_2_and_help_is_0() {
        let table = [
            ("", 2),
            ("fly", 2),
            ("up --speed 3", 2),
            ("check", 2),
            ("schema tollgate.yaml", 2),
            ("mask --policy strict", 2),
            ("mask --format table", 2),
            ("bootstrap --node", 2),
            ("bootstrap --node=größe", 2),
            ("bootstrap --envoy-admin 0.0.0.0:9901", 2),
            ("keys create --tenant acme", 2),
            ("keys create --tenant acme --name ci --expires soon", 2),
            ("keys rotate", 2),
            ("keys rotate key_1 --overlap soon", 2),
            ("audit", 2),
            ("audit verify --head 12", 2),
            ("keys list -c a.yaml --admin http://127.0.0.1:1", 2),
            ("keys create --tenant acme --name ci --budget much", 2),
            ("keys create --tenant acme --name ci --budget 5/week", 2),
            ("usage --by colour", 2),
            ("usage --format focus --since", 2),
            ("budgets --format jsonl", 2),
            ("ledger", 2),
            ("ledger migrate --to mysql://db", 2),
            ("ledger correct r1 --dollars 1", 2),
            ("ledger correct r1 --dollars -1 --why x --help", 0),
            ("status --format csv", 2),
            ("keys rotate key_1 --overlap 0s --help", 0),
            ("--help", 0),
            ("keys create --help", 0),
            ("--version", 0),
        ];
        for (line, code) in table {
            assert_eq!(parse(line).err(), Some(code), "{line}");
        }
    }

    #[test]
    fn a_bootstrap_with_everything() {
        let line = "bootstrap --node gw-2 --envoy-admin 127.0.0.1:9902 --token-file /etc/token";
        let Ok(Command::Bootstrap(asked)) = parse(line) else { panic!("no bootstrap") };
        assert_eq!((asked.node.as_str(), asked.config), ("gw-2", PathBuf::from("tollgate.yaml")));
        assert_eq!(asked.envoy_admin.map(|address| address.port()), Some(9902));
        assert_eq!(asked.token_file, Some("/etc/token".into()));
    }

    #[test]
    fn a_key_with_everything() {
        let line = "keys create --tenant acme --name ci --user kim --role a --role b \
                    --expires 30d --model qwen-* --masking strict --limits standard \
                    --budget 2.50/day --format json";
        let Ok(Command::Keys(Keys::Create(key))) = parse(line) else { panic!("no key") };
        assert_eq!(key.roles, ["a", "b"]);
        assert_eq!(key.expires.as_deref(), Some("30d"));
        assert_eq!((key.models, key.masking.as_deref()), (vec!["qwen-*".into()], Some("strict")));
        assert_eq!(key.limits.as_deref(), Some("standard"));
        assert_eq!(key.budget.map(|budget| budget.nanodollars), Some(2_500_000_000));
        assert_eq!(key.format, Format::Json);
        assert_eq!(key.target.config, PathBuf::from("tollgate.yaml"));
    }
}
