//! What follows `towpath completions` and `towpath man`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap_complete::Shell;

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  source <(towpath completions bash)                                      bash, in ~/.bashrc
  towpath completions zsh > \"${fpath[1]}/_towpath\"                        zsh
  towpath completions fish > ~/.config/fish/completions/towpath.fish      fish";

pub(super) const MAN_HELP: &str = "\
Examples:
  towpath man | man -l -                          read it
  towpath man --dir ~/.local/share/man/man1       write a page for each subcommand";

#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// The shell that is to complete
    pub(crate) shell: Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// Write the pages of all subcommands into this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
