//! The shell through a real pseudo-terminal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rexpect::process::{PtyProcess, WaitStatus};

use crate::harness::Dir;

/// How long anything may take to be seen. Far more than it takes, for a machine that is busy.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// How often the screen is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const HEIGHT: NonZeroU16 = NonZeroU16::new(24).unwrap();
const WIDTH: NonZeroU16 = NonZeroU16::new(100).unwrap();

const ENTER: &str = "\r";
const TAB: &str = "\t";
const BACKSPACE: &str = "\u{7f}";
const UP: &str = "\u{1b}[A";
const CTRL_A: &str = "\u{1}";
const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const CTRL_E: &str = "\u{5}";

/// `towpath` in a terminal of its own, and what is on its screen.
struct Terminal {
    process: PtyProcess,
    keyboard: File,
    screen: Arc<Mutex<vt100::Parser>>,
    tty: PathBuf,
}

impl Terminal {
    /// Starts `towpath` with `args` in `dir`.
    fn start(dir: &Dir, args: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let towpath = dir.towpath(args).into_command();
        let tty = dir.path().join("tty");
        let mut command = Command::new("/bin/sh");
        command
            .arg("-c")
            .arg(format!("stty rows {HEIGHT} cols {WIDTH}; tty > tty; exec \"$0\" \"$@\""))
            .arg(towpath.get_program())
            .args(towpath.get_args())
            .current_dir(dir.path())
            .env_clear();
        for (name, value) in towpath.get_envs() {
            command.env(name, value.unwrap());
        }
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("TERM", "xterm-256color");
        command.envs(variables.iter().copied());
        let mut process = PtyProcess::new(command).unwrap();
        process.set_kill_timeout(Some(5_000));
        let keyboard = process.get_file_handle().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(HEIGHT, WIDTH, 0)));
        let mut output = process.get_file_handle().unwrap();
        let parser = Arc::clone(&screen);
        thread::spawn(move || {
            let mut bytes = [0_u8; 4096];
            // The read fails when the other end of the terminal is closed.
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                parser.lock().unwrap().process(&bytes[..read]);
            }
        });
        Terminal { process, keyboard, screen, tty }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    fn screen(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen is as `is_seen` says, and returns it.
    #[track_caller]
    fn wait_until(&self, what: &str, is_seen: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let screen = self.screen();
            if is_seen(&screen) {
                return screen;
            }
            assert!(started.elapsed() < WAIT_MAX, "waited for {what}; the screen is\n{screen}");
            thread::sleep(LOOK_EVERY);
        }
    }

    #[track_caller]
    fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    /// Waits for a prompt with nothing after it.
    #[track_caller]
    fn wait_for_prompt(&self) -> String {
        self.wait_until("the prompt", |screen| screen.trim_end().ends_with("towpath>"))
    }

    /// Runs a statement from an empty screen and waits for the next prompt.
    #[track_caller]
    fn run(&mut self, statement: &str) -> String {
        self.wait_for_prompt();
        self.press("\u{c}");
        self.wait_until("an empty screen", |screen| screen.trim() == "towpath>");
        self.press(statement);
        self.press(ENTER);
        self.wait_until("an answer", |screen| {
            screen.trim_end().ends_with("towpath>") && screen.trim() != "towpath>"
        })
    }

    /// Changes the size of the window, as a person does who drags its corner.
    fn resize(&self, width: NonZeroU16) {
        let tty = fs::read_to_string(&self.tty).unwrap();
        let status = Command::new("stty")
            .args(["-F", tty.trim(), "cols", &width.to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        self.screen.lock().unwrap().screen_mut().set_size(HEIGHT, width);
    }

    /// Waits for the end and returns the exit code.
    #[track_caller]
    fn exit_code(self) -> i32 {
        let started = Instant::now();
        loop {
            if let Some(WaitStatus::Exited(_, code)) = self.process.status() {
                return code;
            }
            assert!(started.elapsed() < WAIT_MAX, "still running\n{}", self.screen());
            thread::sleep(LOOK_EVERY);
        }
    }
}

#[test]
fn statements_are_typed_over_lines_corrected_and_answered() {
    let dir = Dir::with_sample();
    let mut terminal = Terminal::start(&dir, &[], &[]);
    let screen = terminal.wait_for_prompt();
    assert!(screen.contains("event data stores: trail."), "{screen}");

    terminal.press("SELECT count(*) AS n\rFROM trail\r;\r");
    let screen = terminal.wait_for("1 row\n");
    assert!(screen.contains(" n\n---\n 5\n"), "{screen}");

    let screen = terminal.run(&format!("ELECT 8{BACKSPACE}7 AS m{CTRL_A}S{CTRL_E};"));
    assert!(screen.contains("SELECT 7 AS m;") && screen.contains(" 7\n"), "{screen}");

    let screen = terminal.run("SELECT nothing FROM trail;");
    assert!(screen.contains("error: line 1:8: Column 'nothing' cannot"), "{screen}");
    assert!(screen.contains("\n         ^\n"), "{screen}");

    terminal.press(CTRL_D);
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn tab_completes_stores_columns_fields_and_keys() {
    let dir = Dir::with_sample();
    let mut terminal = Terminal::start(&dir, &["shell"], &[("TOWPATH_PAGER", "head -n 12")]);
    terminal.wait_for_prompt();
    for (typed, expected) in [
        ("SELECT eventN", "SELECT eventName"),
        (" , userIdentity.ar", " , userIdentity.arn"),
        (", requestParameters['buck", ", requestParameters['bucketName'"),
        ("], cardina", "], cardinality("),
        ("resources) FROM tr", "resources) FROM trail"),
    ] {
        terminal.press(typed);
        terminal.press(TAB);
        terminal.wait_for(expected);
    }
    terminal.press(" WHERE eventName = 'CreateBucket';\r");
    let screen = terminal.wait_for("1 row\n");
    assert!(screen.contains("bucket-1"), "{screen}");
    terminal.press(".sch\t tr\t\r");
    let screen = terminal.wait_for("userIdentity.principalId");
    assert!(screen.contains(".schema trail"), "{screen}");
}

#[test]
fn ctrl_c_stops_the_statement_and_not_the_shell() {
    let dir = Dir::with_sample();
    let mut terminal = Terminal::start(&dir, &["shell"], &[]);
    terminal.wait_for_prompt();
    terminal.press(
        "SELECT count(*) FROM trail a, trail b, trail c, trail d, trail e, trail f, trail g, \
         trail h, trail i, trail j, trail k, trail l WHERE a.eventJson < l.eventJson;\r",
    );
    terminal.wait_for("Ctrl-C stops it");
    terminal.press(CTRL_C);
    terminal.wait_for("interrupted");
    let screen = terminal.run("SELECT 6 * 7 AS answer;");
    assert!(screen.contains(" 42\n"), "{screen}");

    terminal.press("SELECT half");
    terminal.wait_for("SELECT half");
    terminal.press(CTRL_C);
    let screen = terminal.run("SELECT 1 AS whole;");
    assert!(screen.contains("whole") && !screen.contains("half"), "{screen}");
    terminal.press("quit\r");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_result_longer_than_the_screen_goes_through_the_pager() {
    let dir = Dir::with_sample();
    let pager = ("TOWPATH_PAGER", "sed -n 's/^/paged /; 1p; $p'");
    let mut terminal = Terminal::start(&dir, &["shell"], &[pager]);
    let numbers = "SELECT n FROM UNNEST(sequence(1, 1500)) AS t(n) ORDER BY n;";
    let screen = terminal.run(numbers);
    assert!(screen.contains("paged     n\n"), "{screen}");
    assert!(screen.contains("paged 1,500 rows (1,000 shown)"), "{screen}");
    let screen = terminal.run("SELECT 1 AS one;");
    assert!(!screen.contains("paged"), "{screen}");

    terminal.run(".pager off");
    terminal.run(".rows 20");
    let screen = terminal.run(numbers);
    assert!(screen.contains("\n 20\n1,500 rows (20 shown)"), "{screen}");
    terminal.run(".rows all");
    let screen = terminal.run(numbers);
    assert!(screen.contains("\n 1500\n1,500 rows\n"), "{screen}");
}

#[cfg(target_os = "linux")]
#[test]
fn tables_keep_to_the_width_of_the_window_as_it_changes() {
    let dir = Dir::with_sample();
    let mut terminal = Terminal::start(&dir, &["shell"], &[]);
    let sql = "SELECT eventTime, userIdentity.arn, userAgent FROM trail;";
    let screen = terminal.run(sql);
    assert!(screen.contains("user/alice | aws-cli/2.15.0"), "{screen}");
    terminal.resize(NonZeroU16::new(50).unwrap());
    let screen = terminal.run(sql);
    assert!(screen.contains("…") && screen.contains("5 rows"), "{screen}");
    assert!(screen.lines().filter(|line| line.contains("12:00:00.000")).count() == 1, "{screen}");
    // The first line is what was typed; the terminal itself wraps it.
    assert!(screen.lines().skip(1).all(|line| line.chars().count() <= 50), "{screen}");
}

#[test]
fn history_is_kept_from_session_to_session() {
    let dir = Dir::with_sample();
    let mut terminal = Terminal::start(&dir, &["shell"], &[]);
    terminal.run("SELECT 'kept' AS word;");
    terminal.press(".quit\r");
    assert_eq!(terminal.exit_code(), 0);
    assert!(dir.path().join(".local/state/towpath/history").is_file());

    let mut terminal = Terminal::start(&dir, &["shell"], &[]);
    terminal.wait_for_prompt();
    terminal.press(UP);
    terminal.wait_for(".quit");
    terminal.press(UP);
    terminal.wait_for("'kept'");
    terminal.press(ENTER);
    let screen = terminal.wait_for("1 row\n");
    assert!(screen.contains(" kept\n"), "{screen}");
}

#[test]
fn the_rc_file_runs_first_and_an_example_is_typed_for_you() {
    let dir = Dir::with_sample();
    dir.write(".towpathrc", ".timing on\n.print hello from rc\n");
    let mut terminal = Terminal::start(&dir, &["shell"], &[]);
    let screen = terminal.wait_for_prompt();
    assert!(screen.contains("hello from rc"), "{screen}");
    terminal.press(".examples delete-bucket\r");
    terminal.wait_for("towpath> SELECT eventTime, userIdentity.arn");
    terminal.press(ENTER);
    let screen = terminal.wait_for("2 rows, ");
    assert!(screen.contains("FROM trail"), "{screen}");
    assert!(screen.contains(" data files"), "{screen}");

    dir.write("init.sql", ".mode csv\nSELECT 1 AS from_init;\n.quit\n");
    let terminal = Terminal::start(&dir, &["shell", "--init", "init.sql"], &[]);
    let screen = terminal.wait_for("from_init\n1");
    assert!(!screen.contains("hello from rc"), "{screen}");
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn a_first_start_says_what_to_do_next() {
    let dir = Dir::new();
    let terminal = Terminal::start(&dir, &[], &[]);
    let screen = terminal.wait_for("towpath demo");
    assert!(screen.contains("towpath store create org-trail"), "{screen}");
    assert!(screen.contains("towpath ingest ./AWSLogs --store org-trail"), "{screen}");
    assert_eq!(terminal.exit_code(), 1);

    dir.towpath(["store", "create", "trail"]).run().success();
    let mut terminal = Terminal::start(&dir, &[], &[]);
    let screen = terminal.wait_for_prompt();
    assert!(screen.contains("`trail` has no events yet: `towpath ingest"), "{screen}");
    terminal.press(CTRL_D);
    assert_eq!(terminal.exit_code(), 0);
}

#[test]
fn colours_are_shown_unless_they_are_not_wanted() {
    let dir = Dir::with_sample();
    for (variables, is_coloured) in [(&[][..], true), (&[("NO_COLOR", "1")][..], false)] {
        let mut terminal = Terminal::start(&dir, &["shell"], variables);
        terminal.wait_for_prompt();
        terminal.press("SELECT 1");
        terminal.wait_for("SELECT 1");
        let screen = terminal.screen.lock().unwrap();
        let screen = screen.screen();
        let (row, _) = screen.cursor_position();
        let cell = screen.cell(row, 9).unwrap();
        assert_eq!(cell.contents(), "S");
        assert_eq!(cell.fgcolor() != vt100::Color::Default, is_coloured);
    }
}
