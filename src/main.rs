//! The command line.

#![expect(unreachable_pub, reason = "everything here is the program's own")]

mod command;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let options = command::Options::parse();
    command::log(&options);
    match command::run(options) {
        Ok(code) => code,
        Err(error) => {
            // The whole chain, once.
            eprintln!("saihakko: {error:#}");
            ExitCode::from(command::exit_code(&error))
        }
    }
}
