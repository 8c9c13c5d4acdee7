package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/app/demo"
	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/models"
)

// demoLogin is the e-mail for the login to the demo.
const demoLogin = "admin@localhost"

type demoCommand struct {
	Data string `placeholder:"DIR" help:"The folder for the data. Default: a temporary folder, removed at the end."`
	Addr string `placeholder:"HOST:PORT" help:"The address to listen on. Default: SITEHOOKS_ADDR, or 127.0.0.1:8080."`
}

// Run is the quick start: a real instance on SQLite, a receiver on a port of
// its own, and a simulated site that talks to the ingest API.
func (d demoCommand) Run(ctx context.Context, p Process) error {
	if d.Data == "" {
		dir, err := os.MkdirTemp("", "sitehooks-demo-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		d.Data = dir
	}
	login := demoAccess{
		password: strings.ToLower(rand.Text()[:12]),
		token:    cmp.Or(p.getenv("SITEHOOKS_INGEST_TOKEN"), rand.Text()),
	}
	c, err := config.Load(demoEnviron(p.Environ, d.Data, d.Addr, login))
	if err != nil {
		return demoFault(err, p)
	}
	receiver := demo.NewReceiver()
	hooks, err := serveLocally(ctx, receiver)
	if err != nil {
		return err
	}
	defer func() { _ = hooks.Close() }()
	in, err := start(ctx, c, p)
	if err != nil {
		return faultOfStart(ctx, c, p, demoFault(err, p))
	}
	err = in.runDemo(ctx, receiver, "http://"+hooks.addr, login, p)
	return errors.Join(err, in.stop(ctx))
}

// demoFault names the flag where a fault is the address's, unless the
// environment gave it.
func demoFault(err error, p Process) error {
	if p.getenv("SITEHOOKS_ADDR") != "" {
		return err
	}
	var all config.Faults
	var one config.Fault
	switch {
	case errors.As(err, &all):
	case errors.As(err, &one):
		all = config.Faults{one}
	default:
		return err
	}
	for i := range all {
		if all[i].Variable == "SITEHOOKS_ADDR" {
			all[i].Variable = "--addr"
		}
	}
	return all
}

type demoAccess struct{ password, token string }

// demoEnviron is the environment with the demo's own settings. An instance with
// other data is not touched: DATABASE_URL is left out.
func demoEnviron(environ []string, data, addr string, a demoAccess) []string {
	own := map[string]string{
		"SITEHOOKS_DATA_DIR": data, "DATABASE_URL": "", "SITEHOOKS_SECRET_KEY": "", "SITEHOOKS_ROLE": "all",
		"SITEHOOKS_ADMIN_EMAIL": demoLogin, "SITEHOOKS_ADMIN_PASSWORD": a.password,
		"SITEHOOKS_INGEST_TOKEN": a.token, "SITEHOOKS_ALLOW_TARGETS": "127.0.0.0/8",
	}
	if addr != "" {
		own["SITEHOOKS_ADDR"] = addr
	}
	environ = slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		_, ours := own[name]
		return ours
	})
	if !slices.ContainsFunc(environ, func(entry string) bool { return strings.HasPrefix(entry, "SITEHOOKS_LOG_LEVEL=") }) {
		own["SITEHOOKS_LOG_LEVEL"] = "warn" // the two lines that matter stay in sight
	}
	for name, value := range own {
		environ = append(environ, name+"="+value)
	}
	return environ
}

// localServer is an HTTP server on a free port of this machine.
type localServer struct {
	*http.Server
	addr string
}

func serveLocally(ctx context.Context, h http.Handler) (*localServer, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &localServer{&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, l.Addr().String()}
	go func() { _ = s.Serve(l) }()
	return s, nil
}

func (in *instance) runDemo(ctx context.Context, receiver *demo.Receiver, receiverURL string, a demoAccess, p Process) error {
	if err := demoMember(ctx, in.store, a.password); err != nil {
		return err
	}
	if err := demo.SetUp(ctx, in.store, receiverURL, receiver.Expect); err != nil {
		return err
	}
	in.jobs.Changed()
	base := in.config.BaseURL.String()
	var seed [8]byte
	_, _ = rand.Read(seed[:])
	simulator := &demo.Simulator{
		Base: "http://" + in.listener.Addr().String(), Token: a.token, Seed: binary.NativeEndian.Uint64(seed[:]),
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	simulated := make(chan error, 1)
	go func() { simulated <- simulator.Run(ctx) }()
	_, err := fmt.Fprintf(p.Stdout, "To report activity of your own: %s\nRequests that the receiver got: %s\n%s\nlogin: %s  password: %s\n",
		setCommand(runtime.GOOS, "SITEHOOKS_INGEST_TOKEN", a.token), receiverURL, base, demoLogin, a.password)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err = <-in.served:
	case err = <-simulated:
		if ctx.Err() == nil && err != nil {
			in.log.Error("the simulated site stopped", slog.Any("error", err))
			<-ctx.Done()
		}
		err = nil
	}
	cancel()
	return err
}

// setCommand sets a variable in the shell of a system: PowerShell on Windows.
func setCommand(system, name, value string) string {
	if system == "windows" {
		return fmt.Sprintf("$env:%s = %q", name, value)
	}
	return "export " + name + "=" + value
}

// demoMember lets the printed password log in, also to a folder that an
// earlier demo left.
func demoMember(ctx context.Context, store *models.Store, password string) error {
	hash, err := passwords.Hash(password)
	if err != nil {
		return err
	}
	user, err := store.Users.ByEmail(ctx, demoLogin)
	if errors.Is(err, models.ErrNotFound) {
		_, err = store.Users.Create(ctx, models.User{Email: demoLogin, PasswordHash: hash, Role: models.RoleAdministrator})
		return err
	}
	if err != nil {
		return err
	}
	return store.Users.SetPassword(ctx, user.ID, hash)
}
