//! What must hold for a mask on a page.

use workflows::mask::{Area, Command, Effect, Refusal, State, WHOLE, Wish};
use workflows::terms::Role;

use crate::world::mask_walk;

#[test]
fn what_lies_under_a_mask_is_opened_by_two_people_only() {
    let (mut shown, mut lifted) = (0, 0);
    for step in &mask_walk().steps {
        let opens = match &step.transition.to {
            State::Shown { first, second } if !matches!(step.from, State::Shown { .. }) => {
                shown += 1;
                assert_ne!(first, second);
                assert_eq!(*second, step.context.actor.id);
                true
            }
            State::Lifted => {
                lifted += 1;
                assert!(step.transition.effects.contains(&Effect::DropMask));
                true
            }
            _ => false,
        };
        if opens {
            let State::Asked { by, .. } = &step.from else { panic!("from {:?}", step.from) };
            assert_eq!(step.command, Command::Allow);
            assert_ne!(*by, step.context.actor.id, "by one person");
            assert!(matches!(step.context.actor.role, Role::Approver | Role::Supervisor));
        }
        let drops = step.transition.effects.contains(&Effect::DropMask);
        assert_eq!(drops, step.transition.to == State::Lifted, "{:?}", step.command);
    }
    assert!(shown > 0 && lifted > 0);
}

#[test]
fn only_the_two_look_and_only_for_a_while() {
    let mut looks = 0;
    for step in &mask_walk().steps {
        if step.command != Command::See {
            continue;
        }
        looks += 1;
        let State::Shown { first, second } = &step.from else { panic!("{:?}", step.from) };
        assert!([first, second].contains(&&step.context.actor.id));
        assert_eq!(step.transition.to, step.from);
    }
    assert!(looks > 0);
    let covers = mask_walk().steps.iter().filter(|step| step.command == Command::Cover);
    assert!(covers.map(|step| &step.transition.to).all(|to| *to == State::Lying));
}

#[test]
fn a_mask_is_laid_on_a_page_that_is_there_and_hides_something() {
    let mut laid = 0;
    for step in &mask_walk().steps {
        let Command::Lay { area } = &step.command else { continue };
        laid += 1;
        assert!(step.context.facts.page_found && area.is_sound());
        assert_eq!(step.transition.effects, [Effect::KeepMask { area: *area }]);
    }
    assert!(laid > 0);
    let page = Area { x: 0, y: 0, w: WHOLE, h: WHOLE };
    assert!(page.is_sound());
    assert!(!Area { x: 1, ..page }.is_sound() && !Area { y: u16::MAX, ..page }.is_sound());
    assert!(!Area { w: 0, ..page }.is_sound());
}

#[test]
fn whoever_asked_does_not_allow() {
    let table = &mask_walk().table;
    let row = &table[&("Asked".to_owned(), "Allow".to_owned())];
    let second = format!("✗ {:?}", Refusal::SecondPerson);
    for role in ["approver", "supervisor"] {
        assert!(row.iter().any(|one| one.starts_with(role) && one.ends_with(&second)), "{role}");
    }
    assert_eq!(Wish::ALL.len(), 2);
}
