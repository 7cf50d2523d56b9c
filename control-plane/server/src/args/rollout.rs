//! `tollgate rollout`.

use super::{Format, Target};
use clap::{Args, Subcommand};

/// `tollgate rollout`.
#[derive(Debug, Subcommand)]
pub enum Rollout {
    /// List the models with more than one pool, and how their weights stand.
    #[command(after_help = "Example:\n  tollgate rollout list --format json")]
    List(ListRollouts),
    /// Give pools of a model's split other weights; those that are not named keep theirs.
    ///
    /// It holds until the next step or until `reset`. While the split has other pools in the
    /// configuration it is not in force.
    #[command(after_help = "Examples:\n  \
                            tollgate rollout set chat-large llama-70b=90 qwen-72b=10\n  \
                            tollgate rollout set chat-large qwen-72b=0")]
    Set(SetRollout),
    /// Send all requests for a model to one pool of its split: blue-green.
    #[command(after_help = "Example:\n  tollgate rollout switch chat-large qwen-72b")]
    Switch(SwitchRollout),
    /// Take the last step back; once more, and the one before.
    #[command(after_help = "Example:\n  tollgate rollout undo chat-large")]
    Undo(OneRollout),
    /// Let the weights of the configuration hold again.
    #[command(after_help = "Example:\n  tollgate rollout reset chat-large")]
    Reset(OneRollout),
}

/// `tollgate rollout list`.
#[derive(Debug, Args)]
pub struct ListRollouts {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `tollgate rollout set`.
#[derive(Debug, Args)]
pub struct SetRollout {
    /// Which model.
    #[command(flatten)]
    pub of: OneRollout,
    /// Pools of its split and their shares of the sum of all weights.
    #[arg(value_name = "POOL=WEIGHT", value_parser = weight, required = true)]
    pub weights: Vec<(String, u32)>,
}

/// `tollgate rollout switch`.
#[derive(Debug, Args)]
pub struct SwitchRollout {
    /// Which model.
    #[command(flatten)]
    pub of: OneRollout,
    /// The pool that gets all of it.
    #[arg(value_name = "POOL")]
    pub pool: String,
}

/// A model.
#[derive(Debug, Args)]
pub struct OneRollout {
    /// Which Tollgate.
    #[command(flatten)]
    pub target: Target,
    /// The model, or the pattern of a family as it stands in the configuration.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// How to print what holds then.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn weight(text: &str) -> Result<(String, u32), String> {
    let (pool, weight) = text.rsplit_once('=').unwrap_or((text, ""));
    let number = weight.parse().ok().filter(|number| *number <= admin::WEIGHT_MAX);
    match number.filter(|_| !pool.is_empty()) {
        Some(number) => Ok((pool.to_owned(), number)),
        None => Err(format!("write POOL=WEIGHT, the weight 0 to {}", admin::WEIGHT_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_and_its_weight() {
        let table = [
            ("a=90", Some(("a", 90))),
            ("a=0", Some(("a", 0))),
            ("a=1000000", Some(("a", 1_000_000))),
            ("a=1000001", None),
            ("a=-1", None),
            ("a=", None),
            ("=5", None),
            ("a", None),
            ("a=1.5", None),
        ];
        for (text, expected) in table {
            let read = weight(text).ok();
            let read = read.as_ref().map(|(pool, weight)| (pool.as_str(), *weight));
            assert_eq!(read, expected, "{text}");
        }
    }
}
