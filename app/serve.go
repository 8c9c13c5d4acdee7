package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/handlers/api/superoffice"
	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs"
	"github.com/sitehooks/sitehooks/jobs/jq"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/secret"
	"github.com/sitehooks/sitehooks/static"
	"github.com/sitehooks/sitehooks/templates"
)

type serveCommand struct{}

// Run serves until ctx ends.
func (serveCommand) Run(ctx context.Context, c config.Config, p Process) error {
	in, err := start(ctx, c, p)
	if err != nil {
		return faultOfStart(ctx, c, p, err)
	}
	return in.wait(ctx)
}

// faultOfStart is why the start failed, unless it was stopped.
func faultOfStart(ctx context.Context, c config.Config, p Process, err error) error {
	if ctx.Err() == nil {
		return err
	}
	newLog(c, p.Stderr).InfoContext(ctx, stoppedEarly)
	return nil
}

// instance is one running Sitehooks.
type instance struct {
	config    config.Config
	own       *slog.Logger // says how the instance starts and stops
	log       *slog.Logger // of its parts
	quiet     atomic.Bool  // the parts report no faults any more
	listener  net.Listener
	store     *models.Store
	box       *secret.Box
	registry  *prometheus.Registry
	counters  *counters
	sender    *send.Client
	access    *api.Access
	inbound   *inbound.API
	programs  *jq.Runner
	jobs      *jobs.Jobs // nil with the role web
	heartbeat *heartbeat
	server    *http.Server
	served    chan error
	unlock    func()
	memory    float64 // the share of the limits on bytes that fits into the memory
}

// start starts all parts or none: on an error it stops the parts that it has
// started.
func start(ctx context.Context, c config.Config, p Process) (*instance, error) {
	in := &instance{config: c, own: newLog(c, p.Stderr), unlock: func() {}, served: make(chan error, 1), memory: tuneMemory()}
	in.log = slog.New(quietable{in.own.Handler(), &in.quiet})
	if err := in.begin(ctx, p); err != nil {
		in.undo(ctx)
		return nil, err
	}
	go func() { in.served <- in.server.Serve(in.listener) }()
	debug.FreeOSMemory() // memory that only the start needed: parsed templates, compressed files, the migrations
	in.log.Info("ready", slog.String("address", c.BaseURL.String()), slog.String("listening", in.listener.Addr().String()),
		slog.String("role", string(c.Role)), slog.String("version", Version()))
	return in, nil
}

func (in *instance) begin(ctx context.Context, p Process) error {
	c := in.config
	// The address first: it is the fault that is made most often, and nothing
	// is touched before it is told.
	var err error
	in.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return config.Fault{Variable: "SITEHOOKS_ADDR", Text: fmt.Sprintf("is %s, which cannot be listened on: %v", c.Addr, lastCause(err)), Example: "127.0.0.1:8081"}
	}
	if c.DatabaseURL == "" {
		if err := prepareDataDir(c.DataDir); err != nil {
			return err
		}
		unlock, err := lockDataDir(c.DataDir)
		if err != nil {
			return err
		}
		in.unlock = unlock
	}
	if in.store, in.box, err = openStore(ctx, c, in.log, in.memory); err != nil {
		return err
	}
	if err := firstAdministrator(ctx, in.store, c, p); err != nil {
		return err
	}
	return in.assemble(ctx)
}

// lastCause is the system's error, without addresses that are in the message
// already.
func lastCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

func (in *instance) assemble(ctx context.Context) error {
	in.registry, in.counters = newMetrics()
	in.store.Finished = in.counters.finished
	deny, err := denied(ctx, in.config, in.listener.Addr())
	if err != nil {
		return err
	}
	in.sender = send.New(send.Config{AllowCIDRs: in.config.AllowCIDRs, AllowHosts: in.config.AllowHosts, Deny: deny, DenyURL: in.config.BaseURL, Proxy: in.config.Proxy})
	if in.heartbeat, err = startHeartbeat(ctx, in.store, in.log, string(in.config.Role), in.listener.Addr(), in.sender.DenyAlso); err != nil {
		return err
	}
	in.access = api.NewAccess(api.AccessDeps{
		Tokens: in.store.Tokens, IngestToken: in.config.IngestToken, Log: in.log,
		Refused: in.counters.refused,
	})
	if in.programs, err = newJQ(); err != nil {
		return err
	}
	in.inbound = inbound.New(inbound.Deps{
		Store: in.store, Reader: &inbound.Reader{Programs: in.programs, Log: in.log}, Sender: in.sender, Access: in.access, Log: in.log,
		OnAccepted: in.arrived, OnWaiting: in.waiting, Accepted: in.counters.accepted, MemoryShare: in.memory,
	})
	if in.config.Role.Jobs() {
		in.jobs, err = jobs.New(jobs.Deps{ //nolint:contextcheck // a scrape brings no context: its questions end after 5 s
			Store: in.store, Sender: in.sender, Log: in.log, Metrics: in.registry, Finished: in.counters.finished,
			Lookups: in.inbound.Lookups, Mail: mailSender(in.config), MemoryShare: in.memory,
		})
		if err != nil {
			return err
		}
	}
	handler := handlers.Health(in.ready, in.metrics(), in.log) // all that the role jobs answers
	if in.config.Role.Web() {
		if handler, err = in.console(); err != nil { //nolint:contextcheck // each request brings its own
			return err
		}
	}
	in.server = &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: headLimit,
		ConnState: limit.NewConnections(in.connections()).Change,
		ErrorLog:  slog.NewLogLogger(in.log.Handler(), slog.LevelDebug),
	}
	if in.jobs != nil {
		return in.jobs.Start(ctx)
	}
	return nil
}

const (
	// headLimit is the most that the head of a request may have, in bytes. Go
	// adds 4 KiB.
	headLimit = 16 << 10
	// mostConnections are open at once, with all the memory that limits are made
	// for. One with an unfinished head takes about 45 KiB.
	mostConnections = 2048
)

// connections are how many may be open to this instance: as many as its memory
// allows, and at most half of the files that it may open. The others are for the
// database and for deliveries.
func (in *instance) connections() int {
	most := uint64(mostConnections * in.memory)
	if files := openFiles(); files > 0 {
		most = min(most, files/2)
	}
	return int(max(1, most)) //nolint:gosec // at most mostConnections
}

// console is all pages and APIs.
func (in *instance) console() (http.Handler, error) {
	events := ingest.New(ingest.Deps{
		Events: in.store.Events, Sources: in.store.Sources, Access: in.access, Log: in.log,
		OnAccepted: in.arrived, Accepted: in.counters.accepted, MemoryShare: in.memory,
	})
	superOffice := superoffice.New(superoffice.Deps{
		Store: in.store, Sender: in.sender, Access: in.access, Log: in.log,
		OnChange: in.changed, OnAccepted: in.arrived, Accepted: in.counters.accepted, MemoryShare: in.memory,
	})
	cursors := inbound.NewCursors(inbound.CursorDeps{Sources: in.store.Sources, Access: in.access, MemoryShare: in.memory})
	pages, err := templates.New(web.Funcs(static.Path))
	if err != nil {
		return nil, err
	}
	return handlers.New(handlers.Deps{
		Store: in.store, Sender: in.sender, Templates: pages, BaseURL: in.config.BaseURL,
		CookieKeys: in.box.Derive("cookies"), Log: in.log, TrustedProxies: in.config.TrustedProxies,
		Access: in.access, MemoryShare: in.memory,
		Ingest: events.Post, Cursors: cursors, IngestToken: in.config.IngestToken != "", Refused: in.access.Newest, Inbound: in.inbound, Program: in.programs.Check, SuperOffice: superOffice.Handle,
		Static: static.Handler(), OnChange: in.changed, Ready: in.ready,
		Metrics: in.metrics(), LoginRefused: in.counters.loginsRefused.Inc, SendsMail: in.config.Mail != nil, Version: Version(),
		OIDC: account.OIDC{Issuer: in.config.OIDCIssuer, ClientID: in.config.OIDCClientID, ClientSecret: in.config.OIDCClientSecret},
	})
}

// arrived says that events were accepted.
func (in *instance) arrived() {
	if in.jobs != nil {
		in.jobs.Arrived()
	}
}

// waiting says that a request of a source waits for look-ups.
func (in *instance) waiting() {
	if in.jobs != nil {
		in.jobs.Waiting()
	}
}

func (in *instance) changed() {
	if in.jobs != nil {
		in.jobs.Changed()
	}
}

func (in *instance) metrics() http.Handler {
	return promhttp.HandlerFor(in.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// ready says why this instance cannot do its work. It asks nothing of the
// database.
func (in *instance) ready(context.Context) error {
	if err := in.store.Able(); err != nil {
		return err
	}
	if in.jobs != nil && !in.jobs.Ready() {
		return errors.New("the jobs do not run")
	}
	return nil
}

// denied are the addresses that no delivery may reach, even if their network is
// allowed: our own, and the database's.
func denied(ctx context.Context, c config.Config, own net.Addr) ([]netip.AddrPort, error) {
	var deny []netip.AddrPort
	if tcp, ok := own.(*net.TCPAddr); ok {
		deny = append(deny, tcp.AddrPort())
	}
	if c.DatabaseURL == "" {
		return deny, nil
	}
	for _, target := range models.PostgresTargets(c.DatabaseURL) {
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", target.Host)
		if err != nil {
			return nil, fmt.Errorf("DATABASE_URL: %s does not resolve: %w", target.Host, err)
		}
		for _, ip := range ips {
			deny = append(deny, netip.AddrPortFrom(ip.Unmap(), target.Port))
		}
	}
	return deny, nil
}

// stopWithin is how long a stop may take in all.
const stopWithin = 29 * time.Second

// wait serves until ctx ends or serving fails, then stops without losing
// anything.
func (in *instance) wait(ctx context.Context) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-in.served:
	}
	return errors.Join(err, in.stop(ctx))
}

// stop ends also when a part of the instance does not: nothing that is kept
// depends on how an instance ends.
func (in *instance) stop(ctx context.Context) error {
	stopped := make(chan error, 1)
	go func() { stopped <- in.shutDown(ctx) }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(stopWithin):
		in.own.Warn("stopped before all work had ended; deliveries in progress are retried when their lease ends")
		return nil
	}
}

func (in *instance) shutDown(ctx context.Context) error {
	in.sayStopping(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin-stopWithin/60)
	defer cancel()
	serverCtx, cancelServer := context.WithTimeout(ctx, 3*time.Second)
	defer cancelServer()
	if in.server.Shutdown(serverCtx) != nil {
		_ = in.server.Close() // cut the requests that have not finished
	}
	var err error
	if in.jobs != nil {
		err = in.jobs.Stop(ctx)
	}
	in.programs.Stop()
	in.heartbeat.stop(ctx)
	in.store.Close()
	in.unlock()
	in.own.Info("stopped")
	return err
}

// sayStopping says also why the database takes no part in it, if it is so.
func (in *instance) sayStopping(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	err := in.store.Able()
	if err == nil {
		_, err = in.store.Now(ctx)
	}
	why := models.Unable(err)
	if why == "" {
		in.own.Info("stopping")
		return
	}
	in.quiet.Store(true)
	in.own.Warn("stopping without the database; deliveries in progress are retried when their lease ends", slog.String("database", why))
}

// undo stops the parts that a failed start had started.
func (in *instance) undo(ctx context.Context) {
	if in.jobs != nil {
		_ = in.jobs.Stop(context.WithoutCancel(ctx))
	}
	if in.programs != nil {
		in.programs.Stop()
	}
	if in.heartbeat != nil {
		in.heartbeat.stop(context.WithoutCancel(ctx))
	}
	if in.store != nil {
		in.store.Close()
	}
	if in.listener != nil {
		_ = in.listener.Close()
	}
	in.unlock()
}
