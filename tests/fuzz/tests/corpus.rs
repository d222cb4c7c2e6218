//! The inputs that are kept, each a case of its own or once the end of a service.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use cafe_fuzz::TARGETS;

#[test]
fn every_input_that_is_kept_is_read_as_promised() {
    let mut broken = Vec::new();
    for (name, check) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut inputs = 0;
        for file in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let file = file.unwrap().path();
            let input = fs::read(&file).unwrap();
            inputs += 1;
            if catch_unwind(|| check(&input)).is_err() {
                broken.push(file);
            }
        }
        assert!(inputs > 0, "{name} has no input to begin with");
    }
    assert!(broken.is_empty(), "promises are broken for {broken:#?}");
}
