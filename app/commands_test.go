package app

import (
	"encoding/json"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// run returns the output and the exit of a command.
func run(t *testing.T, environ []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs strings.Builder
	err = Run(t.Context(), args, Process{Environ: environ, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
	return out.String(), errs.String(), err
}

// TestWrongArguments are each told in one sentence that names the fault and
// the command whose help has more.
func TestWrongArguments(t *testing.T) {
	const stackExchange = "replay stackexchange x.xml --token t "
	const answer = "follow answer --name n --database /d --token t "
	for args, says := range map[string]string{
		"srve":                                `unknown command srve, did you mean "serve"? (see sitehooks --help)`,
		"--addr 127.0.0.1:1 demo":             "no command before the flag --addr (see sitehooks --help)",
		"serve now":                           "unexpected argument now (see sitehooks serve --help)",
		"migrate --dry-run":                   "unknown flag --dry-run (see sitehooks migrate --help)",
		"demo --adr 127.0.0.1:1":              `unknown flag --adr, did you mean "--addr"? (see sitehooks demo --help)`,
		"demo --addr":                         "--addr: expected a value (see sitehooks demo --help)",
		"demo --addr --data x":                `--addr: expected a value but got "--data"`,
		"admin":                               `expected "add" (see sitehooks admin --help)`,
		"admin remove mary@example.com":       "unknown command remove (see sitehooks admin --help)",
		"admin add":                           `expected "<email>" (see sitehooks admin add --help)`,
		"admin add mary":                      `<email>: "mary" is not an e-mail address; for example mary@example.com`,
		"token":                               `expected "create" (see sitehooks token --help)`,
		"token --name n create":               "no command before the flag --name (see sitehooks token --help)",
		"token create":                        "missing flags: --name=NAME, --scope=SCOPE (see sitehooks token create --help)",
		"token create --name n --scope all":   `--scope must be one of "ingest","read","manage","superoffice" but got "all"`,
		"token create --name= --scope ingest": "--name: give the token a name of at most 100 characters",
		"token create --name n --scope ingest --location Main": `--location: "Main" is not a slug of 1 to 64 lower-case letters, digits and hyphens`,
		"token create --name n --scope ingest --location=":     `--location: "" is not a slug`,
		"replay":                                         "expected \"stackexchange\" (see sitehooks replay --help)",
		"replay stackoverflow x.xml --token t":           "unknown command stackoverflow (see sitehooks replay --help)",
		"replay stackexchange --token t":                 `expected "<file>" (see sitehooks replay stackexchange --help)`,
		"replay stackexchange x.xml":                     "SITEHOOKS_INGEST_TOKEN",
		stackExchange + "y.xml":                          "unexpected argument y.xml (see sitehooks replay stackexchange --help)",
		stackExchange + "--fast":                         "unknown flag --fast",
		stackExchange + "--speed 0":                      "--speed: must be a number above 0, or max",
		stackExchange + "--speed=-1":                     "--speed: must be a number above 0, or max",
		stackExchange + "--speed NaN":                    "--speed: must be",
		stackExchange + "--speed fast":                   "--speed: must be",
		stackExchange + "--url localhost:8080":           "--url: must be a URL that starts with http:// or https://",
		stackExchange + "--site ftp://x":                 "--site: must be a URL that starts with http:// or https://",
		stackExchange + "--site https://x/?a":            "--site: must be a URL that starts with http:// or https://",
		stackExchange + "--location Main":                "--location: ",
		stackExchange + "--location=":                    "--location: ",
		"follow":                                         `expected one of "answer", "outbox"`,
		"follow answer":                                  "missing flags: --database=DSN, --name=NAME (see sitehooks follow answer --help)",
		"follow answer --name n --database /d":           "SITEHOOKS_INGEST_TOKEN",
		answer + "--name new":                            "--name: \"new\" is not a name of 1 to 64",
		answer + "--name Forum":                          "--name: \"Forum\" is not a name of 1 to 64",
		answer + "--timezone Mars":                       "--timezone: \"Mars\" is not a time zone such as UTC or Europe/Berlin",
		answer + "--from yesterday":                      "--from: must be now, or a time such as 2026-11-21T00:00:00Z",
		answer + "--every 1ms":                           "--every must be from 100ms to 1m",
		answer + "--every often":                         "--every: ",
		answer + "--location Main":                       "--location: ",
		answer + "--site example.com":                    "--site: must be a URL",
		answer:                                           "/d: no such file or directory",
		"follow outbox --name n --database /d --token t": "an outbox needs PostgreSQL",
	} {
		stdout, stderr, err := run(t, nil, strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || stdout+stderr != "" {
			t.Errorf("%s: %v, want %q; said %q", args, err, says, stdout+stderr)
		}
	}
}

// TestHelpOfEachCommand: help is printed alone, even without required
// arguments, explains each flag and argument, and tells no secret.
func TestHelpOfEachCommand(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Vars{"version": "", "instance": "http://x"})
	if err != nil {
		t.Fatal(err)
	}
	nodes := append([]*kong.Node{parser.Model.Node}, parser.Model.Leaves(false)...)
	if len(nodes) < 10 {
		t.Fatalf("only %d commands", len(nodes))
	}
	environ := []string{"SITEHOOKS_INGEST_TOKEN=hush", "SITEHOOKS_ADDR=0.0.0.0:9000"}
	for _, node := range nodes {
		words := strings.Fields(node.FullPath())[1:]
		stdout, stderr, err := run(t, environ, append(words, "--help")...)
		if err != nil || stderr != "" || strings.Contains(stdout, "hush") || !strings.HasPrefix(stdout, "Usage: sitehooks "+strings.Join(words, " ")) {
			t.Errorf("%s: %v, %s%s", words, err, stdout, stderr)
		}
		if node.Help == "" && node.Parent != nil {
			t.Errorf("%s is not explained", words)
		}
		for _, value := range node.Values() {
			if value.Help == "" && (value.Flag == nil || !value.Flag.Hidden) || !strings.Contains(stdout, value.Name) && !value.Flag.Hidden {
				t.Errorf("%s: %s is not explained\n%s", words, value.Name, stdout)
			}
		}
	}
}

func TestVersionIsPrinted(t *testing.T) {
	for _, word := range []string{"version", "--version", "-v"} {
		if stdout, stderr, err := run(t, nil, word); err != nil || stderr != "" || stdout != Version()+"\n" {
			t.Errorf("%s: %q %q %v", word, stdout, stderr, err)
		}
	}
}

func TestVersionAsJSON(t *testing.T) {
	stdout, _, err := run(t, nil, "version", "--json")
	var said struct{ Version, Go, OS, Arch string }
	if err != nil || json.Unmarshal([]byte(stdout), &said) != nil || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("%v: %s", err, stdout)
	}
	if said.Version != Version() || said.Go != runtime.Version() || said.OS != runtime.GOOS || said.Arch != runtime.GOARCH {
		t.Errorf("%s", stdout)
	}
}

// parse is a command as its arguments have it.
func parse(t *testing.T, p Process, args string) *commands {
	t.Helper()
	var c commands
	parser, err := kong.New(&c, kong.Vars{"version": "", "instance": p.instanceURL()})
	if err == nil {
		_, err = parser.Parse(strings.Fields(args))
	}
	if err != nil {
		t.Fatalf("%s: %v", args, err)
	}
	return &c
}

func TestReplayFindsItsInstance(t *testing.T) {
	for addr, want := range map[string]string{
		"": "http://127.0.0.1:8080", "127.0.0.1:9000": "http://127.0.0.1:9000", "0.0.0.0:81": "http://127.0.0.1:81",
		":82": "http://127.0.0.1:82", "[::1]:83": "http://[::1]:83", "odd": "http://127.0.0.1:8080",
	} {
		p := Process{Environ: []string{"SITEHOOKS_ADDR=" + addr}}
		for given, want := range map[string]string{"": want, "--url https://other.example/": "https://other.example"} {
			if got := parse(t, p, "replay stackexchange x.xml "+given).Replay.StackExchange.options("t").URL; got != want {
				t.Errorf("SITEHOOKS_ADDR=%s %s: %s, want %s", addr, given, got, want)
			}
		}
	}
}

// TestReplayFlags: flags stand before and after the file.
func TestReplayFlags(t *testing.T) {
	c := parse(t, Process{}, "replay stackexchange --tags BEANS,tea,, x.xml --site https://q.example/sub/ --speed=60")
	o := c.Replay.StackExchange.options("t")
	if !reflect.DeepEqual(o.Tags, []string{"beans", "tea"}) || o.Site != "https://q.example/sub" || o.Speed != 60 || o.File != "x.xml" || o.Location != "main" {
		t.Errorf("%+v", o)
	}
	if o = parse(t, Process{}, "replay stackexchange x.xml").Replay.StackExchange.options("t"); o.Speed != 0 || o.Tags != nil || o.Site != "https://stackexchange.example" {
		t.Errorf("without flags: %+v", o)
	}
}

func TestCommandToSetAVariable(t *testing.T) {
	for system, want := range map[string]string{"linux": "export T=abc", "freebsd": "export T=abc", "windows": `$env:T = "abc"`} {
		if got := setCommand(system, "T", "abc"); got != want {
			t.Errorf("%s: %s", system, got)
		}
	}
}
