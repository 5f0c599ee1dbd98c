//! What follows `towpath config`.

use clap::Args as ClapArgs;

use crate::output::Format;

pub(super) const HELP: &str = "\
A flag beats a TOWPATH_* variable, a variable beats towpath.toml, and that beats the default.
towpath.toml is the file of --config, else of TOWPATH_CONFIG, else `towpath/towpath.toml` in your
configuration folder (~/.config). All of it, with examples:

  lake = \"s3://audit/lake\"      # relative folders are beside the file
  format = \"table\"              # of query and shell
  run_secs_max = 3600            # limits of a statement
  memory_mib_max = 1024
  result_rows_max = 1000000
  result_bytes_max = 1000000000
  pager = \"less -SRFX\"          # \"\" for none

  [storage]                      # the variables of the clouds, in lower case
  aws_region = \"eu-central-1\"
  aws_endpoint = \"http://127.0.0.1:9000\"

Values of storage options that may be secret are shown as ****.";

#[derive(Debug, ClapArgs)]
pub(crate) struct ConfigArgs {
    /// How to print the settings
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
}
