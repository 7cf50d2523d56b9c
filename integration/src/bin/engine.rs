//! `engine`: an inference server without a model. See [`integration::engine`].

use std::io::Write as _;

use clap::Parser as _;
use integration::engine::{Options, Simulator};

fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let mut runtime = match options.single_thread {
        true => tokio::runtime::Builder::new_current_thread(),
        false => tokio::runtime::Builder::new_multi_thread(),
    };
    runtime.enable_all().build()?.block_on(serve(options))
}

async fn serve(options: Options) -> std::io::Result<()> {
    let simulator = Simulator::bind(options).await?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "engine: http://{}", simulator.address())?;
    out.flush()?;
    drop(out);
    simulator.run().await
}
