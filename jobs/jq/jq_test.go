package jq_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/jq"
)

// TestMain makes a child of the tests' own program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "child" {
		if err := jq.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func newRunner(t *testing.T) *jq.Runner {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := jq.NewRunner(self, "child")
	t.Cleanup(r.Stop)
	return r
}

// slow is how long a program may take that must not fail on a machine with much
// to do.
const slow = 30 * time.Second

// yields runs a program of a source and writes what it yields, or its fault, in
// one line.
func yields(t *testing.T, r *jq.Runner, source, program, body string) string {
	t.Helper()
	outputs, err := r.Run(t.Context(), source, program, jq.Input{Body: []byte(body), Header: map[string]string{"x-kind": "lead"}})
	var fault *jq.Fault
	if err != nil && !errors.As(err, &fault) {
		t.Fatalf("%s: %v", program, err)
	}
	if err != nil {
		return "fault: " + err.Error()
	}
	var texts []string
	for _, o := range outputs {
		texts = append(texts, string(o))
	}
	return strings.Join(texts, " ")
}

// programs, the body of a request, and what they yield.
var programs = []struct{ program, body, want string }{
	{`{type: "lead.scored", data: .}`, `{"id":12345678901234567890}`, `{"data":{"id":12345678901234567890},"type":"lead.scored"}`},
	{`.[] | {id}`, `[{"id":"a"},{"id":"b"}]`, `{"id":"a"} {"id":"b"}`},
	{`{type: ($headers["x-kind"] + ".scored")}`, `{}`, `{"type":"lead.scored"}`},
	{`empty`, `{}`, ``},
	{`.`, `{"a":"<b>&amp;</b>"}`, `{"a":"<b>&amp;</b>"}`},
	{`"<" * 1000000`, `{}`, `"` + strings.Repeat("<", 1_000_000) + `"`},
	{`reduce range(20000) as $i (0; [.])`, `{}`, `fault: The program yields a value that is nested too deeply.`},
	{`7`, `{}`, `7`},
	{`1, halt, 2`, `{}`, `1`},
	{`range(1000) | null`, `{}`, strings.TrimSpace(strings.Repeat("null ", 1000))},
	{`.a.b`, `{"a":7}`, `fault: The program failed: expected an object but got: number (7).`},
	{`error("no id")`, `{}`, `fault: The program failed: error: no id.`},
	{`range(10000)`, `{}`, `fault: The program yields more than 1000 events.`},
	{`"x" * 3000000`, `{}`, `fault: The program yields more than 2 MiB.`},
	{`.`, `{"a":`, `fault: The body is not JSON: unexpected EOF.`},
	{`env`, `{}`, `{}`},
	{`$ENV`, `{}`, `{}`},
	{`import "a" as a; .`, `{}`, `fault: The program cannot be compiled: cannot load module: "a".`},
	{`input`, `{}`, `fault: The program cannot be compiled: input(s)/0 is not allowed.`},
	{"{type: \"a\",\n  data: .[}", `{}`, `fault: The program cannot be compiled: unexpected token "}" (line 2, column 11).`},
	{` `, `{}`, `fault: The program is empty.`},
	{strings.Repeat(" ", 64<<10) + ".", `{}`, `fault: The program has 65537 bytes, more than 65536.`},
	{`nosuch`, `{}`, `fault: The program cannot be compiled: function not defined: nosuch/0.`},
}

func TestPrograms(t *testing.T) {
	t.Setenv("SITEHOOKS_SECRET_KEY", "seen")
	r := newRunner(t)
	r.SetTimeout(slow)
	for _, c := range programs {
		if got := yields(t, r, "leads", c.program, c.body); got != c.want {
			t.Errorf("%.80s: %.300s, want %.300s", c.program, got, c.want)
		}
	}
}

// TestHostilePrograms: only the child dies, the memory of the one that asked
// stays, and the next request is answered.
func TestHostilePrograms(t *testing.T) {
	r := newRunner(t)
	yields(t, r, "leads", `.`, `{}`)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const late, large = "ran longer than 500 ms", "more than 128 MiB of memory"
	for program, wants := range map[string][]string{
		`def f: f; f`:                   {late},
		`[range(1e12)] | last`:          {late, large},
		`last(range(1e12))`:             {late},
		`[]|.[536870911]=1`:             {large, "The program failed"},
		`"x"*1e9`:                       {large, late, "The program failed"},
		`"x"*1e8|[.,.,.,.,.,.,.,.]|add`: {large, late},
		`[limit(1e9; repeat("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))] | add`: {large, late},
		`reduce range(1e9) as $i ([]; [., .])`:                  {late, large, "The program failed"},
		`"a" | test("(((a{1,30}){1,30}){1,30}){1,9}")`:          {late, large, "The program failed"},
		strings.Repeat("[", 32000) + strings.Repeat("]", 32000): {late, large, "The program"},
	} {
		got := yields(t, r, "leads", program, `{}`)
		seen := false
		for _, want := range wants {
			seen = seen || strings.Contains(got, want)
		}
		if !strings.HasPrefix(got, "fault: ") || !seen {
			t.Errorf("%.60s: %.200s, want one of %q", program, got, wants)
		}
		t.Logf("%.60s: %.200s", program, got)
		r.SetTimeout(slow)
		if got := yields(t, r, "leads", `.a`, `{"a":7}`); got != "7" {
			t.Errorf("after %.60s: %s", program, got)
		}
		r.SetTimeout(jq.Timeout)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.Sys > before.Sys+16<<20 {
		t.Errorf("memory grew from %d to %d bytes", before.Sys, after.Sys)
	}
}

// TestCheck compiles without running.
func TestCheck(t *testing.T) {
	r := newRunner(t)
	if err := r.Check(t.Context(), `def f: f; f`); err != nil {
		t.Error(err)
	}
	var fault *jq.Fault
	if err := r.Check(t.Context(), `{`); !errors.As(err, &fault) {
		t.Error(err)
	}
}

// TestManySources: requests of one source are answered each with its own, and
// many sources at once.
func TestManySources(t *testing.T) {
	r := newRunner(t)
	r.SetTimeout(slow)
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			if got := yields(t, r, fmt.Sprint("source ", i%6), `.n`, fmt.Sprintf(`{"n":%d}`, i)); got != strconv.Itoa(i) {
				t.Errorf("%d: %s", i, got)
			}
		})
	}
	all.Wait()
}

// TestAWaitEnds: a request that waits for the source's turn gives up with its
// context, and leaves the source as it was.
func TestAWaitEnds(t *testing.T) {
	r := newRunner(t)
	var first sync.WaitGroup
	first.Go(func() { yields(t, r, "leads", `def f: f; f`, `{}`) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // at least one of them has to wait
		if _, err := r.Run(ctx, "leads", `def f: f; f`, jq.Input{Body: []byte(`{}`)}); errors.Is(err, context.Canceled) {
			break
		} else if _, is := errors.AsType[*jq.Fault](err); !is {
			t.Fatal(err)
		}
	}
	first.Wait()
	r.SetTimeout(slow)
	if got := yields(t, r, "leads", `.a`, `{"a":7}`); got != "7" {
		t.Error(got)
	}
}

// TestRunnerWithoutAChild: what is no fault of the program is none.
func TestRunnerWithoutAChild(t *testing.T) {
	var fault *jq.Fault
	for _, argv := range [][]string{nil, {"/nowhere"}, {"/bin/true"}} {
		r := jq.NewRunner(argv...)
		if err := r.Check(t.Context(), "."); err == nil || errors.As(err, &fault) {
			t.Errorf("%v: %v", argv, err)
		}
	}
	r := newRunner(t)
	r.Stop()
	if err := r.Check(t.Context(), "."); !errors.Is(err, jq.ErrStopped) {
		t.Error(err)
	}
}

// TestProgramsInThisProcess: a child answers each request by itself, whatever came
// before it, and compiles a program once.
func TestProgramsInThisProcess(t *testing.T) {
	t.Setenv("SITEHOOKS_SECRET_KEY", "seen")
	var talk jq.Talk
	say := func(program, body string) string {
		outputs, fault := talk.Run(program, jq.Input{Body: []byte(body), Header: map[string]string{"x-kind": "lead"}})
		if fault != "" {
			if len(outputs) > 0 {
				t.Errorf("%.80s: a fault and %d values", program, len(outputs))
			}
			return "fault: " + fault
		}
		var texts []string
		for _, o := range outputs {
			texts = append(texts, string(o))
		}
		return strings.Join(texts, " ")
	}
	for _, c := range programs {
		if c.program == "env" || c.program == "$ENV" { // a child has no environment
			continue
		}
		for range 2 {
			if got := say(c.program, c.body); got != c.want {
				t.Errorf("%.80s: %.300s, want %.300s", c.program, got, c.want)
			}
		}
		fault := talk.Check(c.program)
		if compiled := !strings.Contains(c.want, "cannot be compiled") && !strings.Contains(c.want, "is empty") && !strings.Contains(c.want, "bytes, more than"); compiled != (fault == "") {
			t.Errorf("%.80s: checked: %q, want %.300s", c.program, fault, c.want)
		}
		if got := say(".a", `{"a":7}`); got != "7" {
			t.Errorf("after %.80s: %s", c.program, got)
		}
	}
	for _, c := range []struct{ program, body, want string }{
		{"{", "{}", "fault: The program cannot be compiled: unexpected EOF (line 1, column 2)."},
		{"\n\n  .a ] b", "{}", `fault: The program cannot be compiled: unexpected token "]" (line 3, column 6).`},
		{`"é" ]`, "{}", `fault: The program cannot be compiled: unexpected token "]" (line 1, column 5).`},
		{`error("x" * 300)`, "{}", "fault: The program failed: error: " + strings.Repeat("x", 193) + "…."},
		{`error("two\nlines")`, "{}", "fault: The program failed: error: two lines."},
		{`1, error("late")`, "{}", "fault: The program failed: error: late."},
		{`halt_error`, `"why"`, "fault: The program failed: halt error: why."},
		{`[range(1001)] | .[]`, "{}", "fault: The program yields more than 1000 events."},
		{`.`, "", "fault: The body is not JSON: EOF."},
		{`$headers["x-none"]`, "{}", "null"},
	} {
		if got := say(c.program, c.body); got != c.want {
			t.Errorf("%.80q: %.300s, want %s", c.program, got, c.want)
		}
	}
}

// TestFrames: what one side writes the other reads, and a message that breaks off, is
// too long or is no JSON is refused.
func TestFrames(t *testing.T) {
	var pipe bytes.Buffer
	for _, text := range []string{"<b>&amp;</b>", "", "two\nlines"} {
		if err := jq.WriteFrame(&pipe, text); err != nil {
			t.Fatal(err)
		}
	}
	whole := bytes.Clone(pipe.Bytes())
	for _, want := range []string{"<b>&amp;</b>", "", "two\nlines"} {
		var got string
		if err := jq.ReadFrame(&pipe, 100, &got); err != nil || got != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	var got string
	if err := jq.ReadFrame(&pipe, 100, &got); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	for n := 1; n < 18; n++ { // within the first message
		want := io.ErrUnexpectedEOF
		if n == 4 { // of a text nothing was read
			want = io.EOF
		}
		if err := jq.ReadFrame(bytes.NewReader(whole[:n]), 100, &got); !errors.Is(err, want) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	if err := jq.ReadFrame(bytes.NewReader(whole), 14, &got); err == nil || err.Error() != "a message is too long" {
		t.Errorf("too long: %v", err)
	}
	if err := jq.ReadFrame(strings.NewReader("\x00\x00\x00\x01{"), 100, &got); err == nil {
		t.Error("a message that is no JSON is read")
	}
	if err := jq.WriteFrame(&pipe, func() {}); err == nil || pipe.Len() > 0 {
		t.Errorf("%v, and %d bytes of a message that cannot be written", err, pipe.Len())
	}
}

// TestChildrenThatEndByThemselves: the fault says why, and the next request is answered
// by another child.
func TestChildrenThatEndByThemselves(t *testing.T) {
	const ready = `printf '\000\000\000\002{}'; read -r request; `
	for _, c := range []struct{ script, want string }{
		{ready + "exit 3", "The program ran too long and was ended."},
		{ready + "exit 2", "The program used more than 128 MiB of memory and was ended."},
		{ready + "kill -9 $$", "The program used more than 128 MiB of memory and was ended."},
		{ready + `printf '\177\000\000\002{}'; read -r more`, "The program used more than 128 MiB of memory and was ended."},
		{"exit 7", "start jq: EOF (exit status 7)"},
		{`printf '\000\000\000\002no'; read -r more`, "start jq: invalid character 'o' in literal null (expecting 'u') (signal: killed)"},
	} {
		r := jq.NewRunner("/bin/sh", "-c", c.script)
		r.SetTimeout(slow)
		t.Cleanup(r.Stop)
		for range 2 {
			_, err := r.Run(t.Context(), "leads", ".\n", jq.Input{Body: []byte("{}")})
			if err == nil || err.Error() != c.want {
				t.Errorf("%s: %v, want %s", c.script, err, c.want)
			}
			if r.Pid("leads") != 0 {
				t.Errorf("%s: the process is kept", c.script)
			}
		}
	}
}

// TestTurnsAndPlaces: a request that waits for its source's turn or for a place gives up
// with its context, and afterwards the source is as it was.
func TestTurnsAndPlaces(t *testing.T) {
	r := newRunner(t)
	r.SetTimeout(slow)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, wait := range map[string]func() (func(), error){
		"jq: wait for the source's turn: context canceled": func() (func(), error) { return r.WaitTurn(t.Context(), "leads") },
		"jq: wait for a place: context canceled":           func() (func(), error) { return r.TakePlaces(), nil },
	} {
		giveBack, err := wait()
		if err != nil {
			t.Fatal(err)
		}
		for range 30 { // of two that are possible a select chooses either
			if _, err := r.Run(ctx, "leads", ".", jq.Input{Body: []byte("{}")}); err == nil || !errors.Is(err, context.Canceled) {
				t.Fatalf("want %s: %v", what, err)
			} else if err.Error() == what {
				break
			}
		}
		giveBack()
	}
	if got := yields(t, r, "leads", ".a", `{"a":7}`); got != "7" {
		t.Error(got)
	}
}

// TestIdleChildren: a child that nobody asks for a while ends, but not one that somebody
// is about to ask, and the next request has another.
func TestIdleChildren(t *testing.T) {
	r := newRunner(t)
	r.SetTimeout(slow)
	first := 0
	for range 2 {
		if got := yields(t, r, "leads", ".a", `{"a":7}`); got != "7" {
			t.Error(got)
		}
		if first == 0 {
			first = r.Pid("leads")
		}
		if got := r.Pid("leads"); got != first {
			t.Errorf("process %d, want %d again", got, first)
		}
	}
	giveBack, err := r.WaitTurn(t.Context(), "leads")
	if err != nil {
		t.Fatal(err)
	}
	if r.Retire("leads"); r.Pid("leads") != first {
		t.Error("it ended while it was used")
	}
	giveBack()
	if r.Retire("leads"); r.Pid("leads") != 0 {
		t.Error("it goes on although nobody asks it")
	}
	if got := yields(t, r, "leads", ".a", `{"a":7}`); got != "7" || r.Pid("leads") == first {
		t.Errorf("%s, by process %d as before", got, first)
	}
	r.Stop()
	if _, err := r.WaitTurn(t.Context(), "leads"); !errors.Is(err, jq.ErrStopped) {
		t.Errorf("stopped: %v", err)
	}
}
