package app_test

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// receiving is a running sitehooks receive.
type receiving struct {
	at  string
	out *apptest.LogBuffer
	cmd *exec.Cmd
}

func startReceive(t *testing.T, args ...string) *receiving {
	t.Helper()
	addr := apptest.FreePort(t)
	r := &receiving{at: "http://" + addr, out: &apptest.LogBuffer{}, cmd: exec.Command(apptest.Binary, append([]string{"receive", "--addr", addr}, args...)...)}
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = nil, r.out, r.out
	ok(t, r.cmd.Start())
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	})
	apptest.Eventually(t, "the receiver's address", func() bool { return strings.Contains(r.out.String(), r.at) })
	return r
}

// TestReceivePrintsWhatArrives: a webhook's notifications are printed with
// their content, and with the result for each of its secrets.
func TestReceivePrintsWhatArrives(t *testing.T) {
	secrets := []string{"0123456789abcdef-first", "0123456789abcdef-second"}
	knows, wrong, output := startReceive(t, "--secret", secrets[0], "--secret="+secrets[1]), startReceive(t, "--secret", "another secret"), startReceive(t)
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	b := in.Login()
	b.Quick()
	for _, r := range []*receiving{knows, wrong, output} {
		form := apptest.WebhookForm(r.at + "/some/path")
		form.Set("secret_1", secrets[0])
		form.Set("secret_2", secrets[1])
		b.CreateWebhook(form)
	}
	in.Accept(apptest.QuestionJSON("first", 1, ""))
	for r, lines := range map[*receiving][]string{
		knows:  {" bytes, answered 200\n", "signature: secret 1 verifies.\n", "signature: secret 2 verifies.\n"},
		wrong:  {" bytes, answered 401\n", "signature: does not verify. No signature in the header was made with a secret of this hook"},
		output: {" bytes, answered 200\n", "signature: not checked. "},
	} {
		for _, line := range append(lines, "POST /some/path  ", "question created: Question first  https://site.example/questions/1/x\n", "  Webhook-Signature: v1,", `  "questions": [`) {
			apptest.Eventually(t, line, func() bool { return strings.Contains(r.out.String(), line) })
		}
	}
	if out := wrong.out.String() + output.out.String(); strings.Contains(out, " verifies.") {
		t.Errorf("verifies without the secret: %s", out)
	}
	apptest.Eventually(t, "it answered as a receiver does", func() bool {
		return strings.Count(b.Get("/admin/deliveries?state=delivered").Body, "data-id=") == 2 &&
			strings.Count(b.Get("/admin/deliveries?state=retrying&code=4xx").Body, "data-id=") == 1
	})
	ok(t, knows.cmd.Process.Signal(syscall.SIGTERM))
	if err := knows.cmd.Wait(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// TestReceiveShowsContentAsContent: received text neither writes lines that
// look like the receiver's own nor controls the terminal.
func TestReceiveShowsContentAsContent(t *testing.T) {
	r := startReceive(t)
	const signed = "signature: secret 1 verifies."
	post := func(path, body string) apptest.Answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.at+path, strings.NewReader(body))
		ok(t, err)
		a, err := apptest.Do(t, http.DefaultClient, req)
		ok(t, err)
		return a
	}
	if a := post("/a%0a"+strings.ReplaceAll(signed, " ", "%20"), "\x1b[2Jplain\r\n"+signed+"\n\u202e\xff"); a.Code != http.StatusOK || a.Body != "ok" {
		t.Errorf("answers %d %q", a.Code, a.Body)
	}
	if a := post("/", fmt.Sprintf(`{"type":"a\n%s","data":{}}`, signed)); a.Code != http.StatusOK {
		t.Errorf("answers %d", a.Code)
	}
	if a := post("/", strings.Repeat("x", 1<<20+1)); a.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body over the limit: %d", a.Code)
	}
	out := r.out.String()
	for _, line := range apptest.Lines(out) {
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
		_, errs, err := apptest.Output(t, nil, "", args...)
		if err == nil || len(apptest.Lines(errs)) != 1 || !strings.Contains(errs, says) {
			t.Errorf("%v: %v %s", args, err, errs)
		}
	}
}
