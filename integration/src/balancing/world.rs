//! One event after another.

use super::Micros;
use super::engine::{Happened, SimEngine};
use super::figures::{Counting, Figures};
use super::gateway::{Choice, Gateway, Policy};
use super::plane::{DELIVERY_US, Plane, SCRAPE_US, View};
use super::scenario::Scenario;
use super::traffic::{Conversation, Traffic};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The next conversation begins.
    Begin,
    /// A conversation asks.
    Ask(usize),
    /// An engine's step ends.
    Step(usize),
    /// The control plane asks engines.
    Scrape,
    /// Gateways know what it has heard.
    Deliver,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct Request {
    conversation: usize,
    gateway: usize,
    choice: Choice,
    asked: Micros,
    prompt_tokens: usize,
}

struct World {
    scenario: Scenario,
    traffic: Traffic,
    engines: Vec<SimEngine>,
    gateways: Vec<Gateway>,
    plane: Plane,
    view: View,
    conversations: Vec<Conversation>,
    requests: Vec<Request>,
    counting: Counting,
    events: BinaryHeap<Reverse<(Micros, usize, Event)>>,
    scheduled: usize,
    now: Micros,
}

/// Runs a scenario under a policy, once for each seed; the figures are of all runs together.
/// The same seed gives the same conversations, whatever the policy.
#[must_use]
pub fn run(scenario: &Scenario, policy: Policy, seeds: &[u64]) -> Figures {
    let mut counting = Counting::default();
    for seed in seeds {
        counting.add(World::new(scenario, policy, *seed).run());
    }
    counting.figures()
}

impl World {
    fn new(scenario: &Scenario, policy: Policy, seed: u64) -> World {
        let gateway = |number| Gateway::new(policy, scenario.engines, seed + 1 + number as u64);
        World {
            traffic: Traffic::new(scenario, seed),
            engines: scenario.engine_speeds().into_iter().map(SimEngine::new).collect(),
            gateways: (0..scenario.gateways).map(gateway).collect(),
            plane: Plane::new(scenario.engines),
            view: View::default(),
            conversations: Vec::new(),
            requests: Vec::new(),
            counting: Counting::default(),
            events: BinaryHeap::new(),
            scheduled: 0,
            now: 0,
            scenario: scenario.clone(),
        }
    }

    fn run(mut self) -> Counting {
        let end = self.scenario.seconds * 1_000_000;
        self.schedule(0, Event::Begin);
        self.schedule(0, Event::Scrape);
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if at > end {
                break;
            }
            self.now = at;
            self.handle(event);
        }
        self.count_the_waiting(end);
        self.counting
    }

    /// Of two events at one moment the one that was scheduled first comes first.
    fn schedule(&mut self, after: Micros, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((self.now + after, self.scheduled, event)));
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Begin => self.begin(),
            Event::Ask(conversation) => self.ask(conversation),
            Event::Step(engine) => self.step(engine),
            Event::Scrape => {
                self.view = self.plane.ask(&self.engines, self.now);
                self.counting.looked(&self.engines);
                self.schedule(DELIVERY_US, Event::Deliver);
                self.schedule(SCRAPE_US, Event::Scrape);
            }
            Event::Deliver => {
                self.gateways.iter_mut().for_each(|gateway| gateway.learn(&self.view))
            }
        }
    }

    fn begin(&mut self) {
        self.conversations.push(self.traffic.begin());
        self.ask(self.conversations.len() - 1);
        let next = self.traffic.next_begin(self.now);
        self.schedule(next - self.now, Event::Begin);
    }

    fn ask(&mut self, number: usize) {
        let conversation = &mut self.conversations[number];
        let gateway = conversation.gateway;
        let choice =
            self.gateways[gateway].choose(&conversation.user, conversation.texts(), self.now);
        let job = conversation.ask(self.requests.len(), self.scenario.answer_tokens);
        self.requests.push(Request {
            conversation: number,
            gateway,
            choice,
            asked: self.now,
            prompt_tokens: job.prompt_tokens,
        });
        if let Some(took) = self.engines[choice.engine].take(job) {
            self.schedule(took, Event::Step(choice.engine));
        }
    }

    fn step(&mut self, engine: usize) {
        let mut happened = Vec::new();
        if let Some(took) = self.engines[engine].step(&mut happened) {
            self.schedule(took, Event::Step(engine));
        }
        for happened in happened {
            match happened {
                Happened::Began { number, cached_tokens } => self.began(number, cached_tokens),
                Happened::Ended { number } => self.ended(number),
            }
        }
    }

    fn began(&mut self, number: usize, cached_tokens: usize) {
        let request = self.requests[number];
        let took = self.now - request.asked;
        self.engines[request.choice.engine].began(took);
        if self.is_counted(&request) {
            self.counting.began(took, request.prompt_tokens, cached_tokens);
        }
        self.requests[number].prompt_tokens = 0;
    }

    fn ended(&mut self, number: usize) {
        let Request { conversation, gateway, choice, .. } = self.requests[number];
        self.gateways[gateway].ended(choice, self.now);
        let pause = self.conversations[conversation].go_on(self.scenario.question_tokens);
        if let Some(pause) = pause {
            self.schedule(pause, Event::Ask(conversation));
        }
    }

    fn is_counted(&self, request: &Request) -> bool {
        request.asked >= self.scenario.seconds * 250_000
    }

    /// What still waits at the end has waited at least so long: to leave it out would praise
    /// who lets many wait.
    fn count_the_waiting(&mut self, end: Micros) {
        let left = std::mem::take(&mut self.requests);
        for request in left.iter().filter(|request| request.prompt_tokens > 0) {
            if self.is_counted(request) {
                self.counting.began(end - request.asked, 0, 0);
            }
        }
    }
}
