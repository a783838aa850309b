//! What must hold in the common tail alone.

use workflows::tail::{Command, State};
use workflows::terms::{Effect, Job, KeyOrigin};

use crate::world::tail_walk;

#[test]
fn fetching_again_ends_with_its_window() {
    for step in &tail_walk().steps {
        if let (State::CertificateIssued { refetch, .. }, Command::Refetch { .. }) =
            (&step.from, &step.command)
        {
            assert!(refetch);
        }
    }
}

#[test]
fn a_key_of_the_server_is_fetched_as_it_is_and_one_of_the_browser_made_anew() {
    let mut same = 0;
    for step in &tail_walk().steps {
        let State::CertificateIssued { key, .. } = &step.from else { continue };
        let Command::Refetch { csr } = &step.command else { continue };
        if *key == KeyOrigin::Server && csr.is_none() {
            same += 1;
            assert_eq!(step.transition.to, step.from);
            assert!(step.transition.jobs.is_empty());
        } else {
            let asked = Job::MakeCertificate { csr: csr.clone() };
            assert_eq!(step.transition.jobs, [asked]);
        }
    }
    assert!(same > 0);
}

#[test]
fn each_expiry_notice_goes_out_once() {
    for step in &tail_walk().steps {
        let State::Waiting { reminded, .. } = &step.from else { continue };
        match step.command {
            Command::RemindHalfway => assert_eq!(*reminded, 0),
            Command::RemindLastDay => assert!(*reminded < 2),
            _ => {}
        }
    }
}

#[test]
fn a_key_made_on_the_server_dies_with_its_window() {
    let graph = tail_walk();
    let mut seen = 0;
    for step in &graph.steps {
        let State::CertificateIssued { key, refetch: true, .. } = &step.from else {
            continue;
        };
        let stays = matches!(step.transition.to, State::CertificateIssued { refetch: true, .. });
        if *key == KeyOrigin::Server && !stays {
            seen += 1;
            assert!(
                step.transition.effects.contains(&Effect::DestroyServerKey),
                "{:?} keeps the key",
                step.command
            );
        }
    }
    assert!(seen > 0);
}
