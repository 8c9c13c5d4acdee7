package app_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestDemoNamesItsFlag: an error about an address given by --addr names --addr.
func TestDemoNamesItsFlag(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	defer taken.Close()
	for _, addr := range []string{taken.Addr().String(), "nonsense"} {
		_, errs, err := apptest.Output(t, nil, "", "demo", "--addr", addr)
		if output := apptest.Lines(errs); err == nil || len(output) != 1 || !strings.Contains(errs, "--addr is") || strings.Contains(errs, "SITEHOOKS_ADDR") {
			t.Errorf("%s: %v %s", addr, err, errs)
		}
	}
	_, errs, err := apptest.Output(t, []string{"SITEHOOKS_ADDR=" + taken.Addr().String()}, "", "demo")
	if err == nil || !strings.Contains(errs, "SITEHOOKS_ADDR is") {
		t.Errorf("by the environment: %v %s", err, errs)
	}
}

// runningDemo is the quick start as a person sees it.
type runningDemo struct {
	receiver, base, email, password, token string
}

func startDemo(t testing.TB, args ...string) runningDemo {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), apptest.Binary, slices.Concat([]string{"demo", "--addr", apptest.FreePort(t)}, args)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	log := &apptest.LogBuffer{}
	out, printed := io.Pipe()
	cmd.Stdout, cmd.Stderr = printed, log
	ok(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	first := make([]string, 4)
	read := make(chan struct{})
	go func() {
		defer close(read)
		text := make([]byte, 0, 1024)
		for chunk := make([]byte, 1024); strings.Count(string(text), "\n") < len(first); {
			n, err := out.Read(chunk)
			text = append(text, chunk[:n]...)
			if err != nil {
				return
			}
		}
		copy(first, apptest.Lines(string(text)))
	}()
	select {
	case <-read:
	case <-time.After(apptest.Patience):
		t.Fatalf("the demo does not start\n%s", log)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	_, token, _ := strings.Cut(first[0], "export SITEHOOKS_INGEST_TOKEN=")
	_, receiver, _ := strings.Cut(first[1], ": ")
	d := runningDemo{receiver: receiver, base: first[2], token: token}
	words := strings.Fields(first[3])
	if len(words) != 4 || words[0] != "login:" || words[2] != "password:" {
		t.Fatalf("the last line is %q", first[3])
	}
	d.email, d.password = words[1], words[3]
	return d
}

func TestDemoDeliversByItselfAndVerifies(t *testing.T) {
	d := startDemo(t)
	type got struct {
		Requests []struct {
			Hook   string
			Items  []struct{ Title string }
			Checks []struct {
				Words string
				Good  bool
			}
		}
	}
	apptest.Eventually(t, "a delivery that verifies", func() bool {
		a, err := apptest.Get(t, http.DefaultClient, d.receiver+"/requests.json")
		if err != nil {
			return false
		}
		var g got
		ok(t, json.Unmarshal([]byte(a.Body), &g))
		for _, r := range g.Requests {
			signed := false
			for _, c := range r.Checks {
				if c.Words == "unsigned" { // Slack's have no signature
					continue
				}
				if signed = true; !c.Good {
					t.Fatalf("a signature does not verify: %s", a.Body)
				}
			}
			if len(r.Items) > 0 && signed {
				return true
			}
		}
		return false
	})
	c := newChrome(t)
	c.login(d.base, d.email, d.password)
	if h1 := eval[string](c, "document.querySelector('h1').textContent.trim()"); h1 != "Overview" {
		t.Errorf("after the login: %q", h1)
	}
	apptest.Eventually(t, "a webhook broken by a real 410", func() bool {
		c.open(d.base + "/admin/webhooks")
		return strings.Contains(eval[string](c, "document.body.innerText"), "410")
	})
}
