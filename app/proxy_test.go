package app_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// tinyproxy starts Debian's proxy until the test ends. The log names each
// request that it got.
func tinyproxy(t *testing.T) (address string, log func() string) {
	t.Helper()
	program, err := exec.LookPath("tinyproxy")
	if err != nil {
		t.Fatal("tinyproxy is missing; install it with: make setup")
	}
	port, err := modelstest.FreePort()
	ok(t, err)
	dir := t.TempDir()
	file, config := filepath.Join(dir, "log"), filepath.Join(dir, "conf")
	ok(t, os.WriteFile(config, fmt.Appendf(nil, "Port %d\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 60\nMaxClients 50\nLogFile %q\nLogLevel Connect\n", port, file), 0o600))
	cmd := exec.CommandContext(t.Context(), program, "-d", "-c", config)
	cmd.SysProcAttr = apptest.EndsWithParent()
	ok(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	apptest.Eventually(t, "the proxy listens", func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
	return address, func() string {
		text, err := os.ReadFile(file)
		ok(t, err)
		return string(text)
	}
}

// Deliveries and tests leave through the proxy, to targets with TLS by a tunnel.
// The guard refuses targets before the proxy hears of them, and the proxy's own
// address needs no permission.
func TestDeliveriesLeaveThroughTheProxy(t *testing.T) {
	proxy, log := tinyproxy(t)
	plain := apptest.NewReceiver(t)
	encrypted, trust := apptest.NewTypesReceiver(t)
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), "SITEHOOKS_PROXY=http://"+proxy, trust, "SITEHOOKS_ALLOW_TARGETS=127.0.0.1/32")
	b := in.Login()
	b.Quick()
	for _, target := range []string{plain.URL, encrypted.URL} {
		b.CreateWebhook(apptest.WebhookForm(target))
	}
	in.Accept(apptest.QuestionJSON("event", 1, ""))
	apptest.Eventually(t, "both deliveries", func() bool { return len(plain.Got()) == 1 && len(encrypted.Got()) == 1 })
	text := log()
	if host := strings.TrimPrefix(encrypted.URL, "https://"); !strings.Contains(text, "CONNECT "+host) || !strings.Contains(text, "POST "+plain.URL) {
		t.Errorf("the proxy saw\n%s", text)
	}

	form := apptest.WebhookForm("http://127.0.0.2:9/")
	form.Set("do", "test")
	page := b.Post("/admin/webhooks/new?type=generic", form)
	if page.Code != http.StatusOK && page.Code != http.StatusUnprocessableEntity || !strings.Contains(page.Body, "SITEHOOKS_ALLOW_TARGETS") {
		t.Errorf("a target that is not allowed: %d", page.Code)
	}
	if strings.Contains(log(), "127.0.0.2") {
		t.Error("the proxy was asked for a target that the guard refuses")
	}
}

func TestAProxyThatRefusesIsNamed(t *testing.T) {
	port, err := modelstest.FreePort()
	ok(t, err)
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), fmt.Sprintf("SITEHOOKS_PROXY=http://127.0.0.1:%d", port))
	b := in.Login()
	b.Quick()
	form := apptest.WebhookForm(apptest.NewReceiver(t).URL)
	form.Set("do", "test")
	if page := b.Post("/admin/webhooks/new?type=generic", form); !strings.Contains(page.Body, "The proxy of SITEHOOKS_PROXY cannot be reached.") {
		t.Errorf("%d %s", page.Code, page.Body)
	}
}
