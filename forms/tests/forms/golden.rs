//! What must not change unnoticed: the layout as others see it.

use forms::{Variant, Version, layout};

#[test]
fn the_layout_in_json() {
    for variant in Variant::ALL {
        let json = serde_json::to_string_pretty(&layout(Version::One, variant).to_json()).unwrap();
        insta::assert_snapshot!(format!("layout_1_{variant}"), json);
    }
}
