package app_test

import (
	"encoding/base64"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// endings are how a system tells a program to end.
var endings = []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}

// TestStoppedDuringTheStart: a start that is ended while it waits for its
// database reports no error.
func TestStoppedDuringTheStart(t *testing.T) {
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	defer silent.Close()
	for _, signal := range endings {
		in := apptest.Launch(t, []string{
			"DATABASE_URL=postgres://sitehooks@" + silent.Addr().String() + "/sitehooks",
			"SITEHOOKS_SECRET_KEY=" + base64.StdEncoding.EncodeToString(modelstest.Key()),
		})
		conn, err := silent.Accept() // it waits for an answer now
		ok(t, err)
		ok(t, in.Cmd.Process.Signal(signal))
		err = in.Ended()
		_ = conn.Close()
		if said := apptest.Lines(in.Log.String()); err != nil || len(said) != 1 || !strings.Contains(said[0], "stopped before it was ready") {
			t.Errorf("after %v: %v\n%s", signal, err, in.Log)
		}
	}
}

// TestEverySignalToEndStops: also when the terminal goes away.
func TestEverySignalToEndStops(t *testing.T) {
	for _, signal := range endings {
		in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
		ok(t, in.Cmd.Process.Signal(signal))
		if err := in.Ended(); err != nil || !strings.Contains(in.Log.String(), "msg=stopped") {
			t.Errorf("after %v: %v\n%s", signal, err, in.Log)
		}
	}
}

// TestStoppedWithoutTheDatabase says so in one line, however many parts of an
// instance miss it.
func TestStoppedWithoutTheDatabase(t *testing.T) {
	server := modelstest.StartPostgres(t)
	in := apptest.Serve(t, []string{
		"DATABASE_URL=" + server.URL("postgres"), "SITEHOOKS_SECRET_KEY=" + base64.StdEncoding.EncodeToString(modelstest.Key()),
	})
	ok(t, server.Stop())
	apptest.Eventually(t, "it notices", func() bool { return strings.Contains(in.Log.String(), "level=ERROR") })
	err := in.Terminate()
	_, after, stopping := strings.Cut(in.Log.String(), "msg=\"stopping without the database")
	if err != nil || !stopping {
		t.Fatalf("ended with %v\n%s", err, in.Log)
	}
	said := apptest.Lines(after)
	if len(said) != 2 || !strings.Contains(said[0], "database=\"the database ") || !strings.Contains(said[1], "msg=stopped") {
		t.Errorf("after the signal it says\n%s", after)
	}
}
