//! The configuration: defaults of the domain, unknown keys refused.

use engine::Span;
use workflows::terms::{Channel, Rules};

#[test]
fn missing_keys_take_the_defaults_and_unknown_ones_are_refused() {
    let empty: Rules = toml::from_str("").expect("no key at all");
    assert_eq!(empty, Rules::default());
    let one: Rules = toml::from_str("retrieval_max_wrong = 3").expect("one key");
    assert_eq!(one, Rules { retrieval_max_wrong: 3, ..Rules::default() });
    let wrong = toml::from_str::<Rules>("retrieval_max_wrongs = 3").expect_err("a slip");
    assert!(wrong.to_string().contains("retrieval_max_wrongs"));
}

#[test]
fn the_defaults_are_those_of_the_domain() {
    let rules = Rules::default();
    assert_eq!(rules.validity(Channel::SelfService), Span::hours(24));
    assert_eq!(rules.validity(Channel::Delegated), Span::days(7));
    assert_eq!(rules.validity(Channel::Paper), Span::days(30));
    assert_eq!((rules.login_delay_from_wrong, rules.login_max_wrong), (5, 20));
    assert_eq!((rules.otp_max_wrong, rules.transaction_max_wrong), (5, 5));
    assert_eq!((rules.reveal_window_minutes, rules.certificate_refetch_minutes), (15, 60));
    assert_eq!((rules.defect_reminder_days, rules.defect_close_days), (10, 30));
    assert_eq!((rules.undelivered_resends, rules.defect_max_attempts), (2, 3));
}
