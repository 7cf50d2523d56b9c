//! The accounting-accuracy suite in its small version: `make accuracy` has the long one.

use integration::accuracy::{Kills, PLAIN, Race, Row, Shared, Victim, World, table};
use integration::{Engine, Result};
use std::time::Duration;

fn assert_all_kept(rows: &[Row]) {
    assert!(rows.iter().all(|row| row.missed.is_empty()), "\n{}", table(rows));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_token_that_was_delivered_is_billed_once() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let (gate, world) = World::of_our_own(&engine).await?;
    let mut rows = Vec::new();
    for scenario in PLAIN {
        rows.push(scenario.run(&world).await?);
    }
    assert_all_kept(&rows);
    let sound = gate.cli(&["ledger", "verify"]).await?;
    assert!(sound.status.success(), "{}", String::from_utf8_lossy(&sound.stdout));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_lose_nothing_and_double_nothing() -> Result<()> {
    const VICTIMS: &[Victim] =
        &[Victim::Envoy, Victim::Control, Victim::Engine, Victim::Both, Victim::Control];
    let kills = Kills { name: "ten kills", victims: VICTIMS, rounds: 10, seed: 7 };
    assert_all_kept(&[kills.run().await?]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_clients_at_two_gateways_cannot_overspend() -> Result<()> {
    let race = Race {
        name: "64 clients",
        clients: 64,
        time: Duration::from_secs(10),
        microdollars: 50_000,
        ledger: Shared::ByControlPlane,
    };
    assert_all_kept(&[race.run().await?]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_control_planes_on_one_postgresql_cannot_overspend() -> Result<()> {
    let race = Race {
        name: "64 clients, PostgreSQL restarted",
        clients: 64,
        time: Duration::from_secs(10),
        microdollars: 100_000,
        ledger: Shared::ByPostgres { restarts: 1 },
    };
    assert_all_kept(&[race.run().await?]);
    Ok(())
}
