package app_test

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// receiving is a running sitehooks receive.
type receiving struct {
	at  string
	out *logBuffer
	cmd *exec.Cmd
}

func startReceive(t *testing.T, args ...string) *receiving {
	t.Helper()
	addr := freePort(t)
	r := &receiving{at: "http://" + addr, out: &logBuffer{}, cmd: exec.Command(binary, append([]string{"receive", "--addr", addr}, args...)...)}
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = nil, r.out, r.out
	ok(t, r.cmd.Start())
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	})
	eventually(t, "the receiver's address", func() bool { return strings.Contains(r.out.String(), r.at) })
	return r
}

// TestReceivePrintsWhatArrives: a webhook's notifications are printed with
// what they say, and with whether each of its secrets signed them.
func TestReceivePrintsWhatArrives(t *testing.T) {
	secrets := []string{"0123456789abcdef-first", "0123456789abcdef-second"}
	knows, wrong, told := startReceive(t, "--secret", secrets[0], "--secret="+secrets[1]), startReceive(t, "--secret", "another secret"), startReceive(t)
	in := serve(t, environment(t, "sqlite"))
	b := in.login()
	b.quick()
	for _, r := range []*receiving{knows, wrong, told} {
		form := webhookForm(r.at + "/some/path")
		form.Set("secret_1", secrets[0])
		form.Set("secret_2", secrets[1])
		b.createWebhook(form)
	}
	in.accept(questionJSON("first", 1, ""))
	for r, lines := range map[*receiving][]string{
		knows: {"signature: secret 1 verifies.\n", "signature: secret 2 verifies.\n"},
		wrong: {"signature: does not verify. "},
		told:  {"signature: not checked. "},
	} {
		for _, line := range append(lines, "POST /some/path  ", "question created: Question first  https://site.example/questions/1/x\n", "  Webhook-Signature: v1,", `  "questions": [`) {
			eventually(t, line, func() bool { return strings.Contains(r.out.String(), line) })
		}
	}
	if out := wrong.out.String() + told.out.String(); strings.Contains(out, " verifies.") {
		t.Errorf("verifies without the secret: %s", out)
	}
	eventually(t, "it answered as a receiver does", func() bool {
		return strings.Count(b.get("/admin/deliveries?state=delivered").body, "Everything") >= 3
	})
	ok(t, knows.cmd.Process.Signal(syscall.SIGTERM))
	if err := knows.cmd.Wait(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// TestReceiveShowsContentAsContent: what was sent neither writes lines that look
// like the receiver's own nor steers the terminal.
func TestReceiveShowsContentAsContent(t *testing.T) {
	r := startReceive(t)
	const signed = "signature: secret 1 verifies."
	post := func(path, body string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.at+path, strings.NewReader(body))
		ok(t, err)
		a, err := do(t, http.DefaultClient, req)
		ok(t, err)
		return a
	}
	if a := post("/a%0a"+strings.ReplaceAll(signed, " ", "%20"), "\x1b[2Jplain\r\n"+signed+"\n\u202e\xff"); a.code != http.StatusOK || a.body != "ok" {
		t.Errorf("answers %d %q", a.code, a.body)
	}
	if a := post("/", fmt.Sprintf(`{"type":"a\n%s","data":{}}`, signed)); a.code != http.StatusOK {
		t.Errorf("answers %d", a.code)
	}
	if a := post("/", strings.Repeat("x", 1<<20+1)); a.code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the limit: %d", a.code)
	}
	out := r.out.String()
	for _, line := range lines(out) {
		if strings.HasPrefix(line, signed) {
			t.Errorf("content became a line of the receiver's own: %q", line)
		}
	}
	if strings.ContainsAny(out, "\x1b\r\u202e") || !strings.Contains(out, `  \u001b[2Jplain\u000d`) {
		t.Errorf("printed %q", out)
	}
}

func TestReceiveNamesItsFlag(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	defer taken.Close()
	for says, args := range map[string][]string{
		"--addr is ":            {"receive", "--addr", taken.Addr().String()},
		"; for example --addr=": {"receive", "--addr", "nonsense"},
		"unexpected argument everything (see sitehooks receive --help)": {"receive", "everything"},
	} {
		_, errs, err := output(t, nil, "", args...)
		if err == nil || len(lines(errs)) != 1 || !strings.Contains(errs, says) {
			t.Errorf("%v: %v %s", args, err, errs)
		}
	}
}
