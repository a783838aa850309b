//! Every workflow, walked completely, with no database in sight.

mod clerical;
mod credential;
mod delegated;
mod documents;
mod paper;
mod paths;
mod router;
mod self_service;
mod stored;
mod submission;
mod tail;
mod task;
mod texts;
mod world;
