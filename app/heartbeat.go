package app

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// How often an instance says that it is alive, and finds out whether anything
// can be stored. Others believe it for several times as long.
const (
	presentEvery = 5 * time.Second
	unableEvery  = time.Second // while nothing can be stored, or that is in doubt
)

// heartbeat tells the others that this instance is alive and where it listens,
// for their page and since no notification goes to an instance.
type heartbeat struct {
	store    *models.Store
	log      *slog.Logger
	row      models.Instance
	listener net.Addr
	// onAlive is given the addresses of all instances that are alive.
	onAlive func([]netip.AddrPort)
	cancel  context.CancelFunc
	loop    sync.WaitGroup
}

// startHeartbeat says it for the first time, and then again and again until leave.
func startHeartbeat(ctx context.Context, store *models.Store, log *slog.Logger, role string, listener net.Addr, onAlive func([]netip.AddrPort)) (*heartbeat, error) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	p := &heartbeat{
		store: store, log: log, row: models.Instance{ID: rand.Text(), Name: host, Role: role, Version: Version()},
		listener: listener, onAlive: onAlive,
	}
	if err := p.refresh(ctx); err != nil {
		return nil, err
	}
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.loop.Go(func() { p.run(ctx) })
	return p, nil
}

func (p *heartbeat) run(ctx context.Context) {
	for next := presentEvery; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(unableEvery):
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next - unableEvery):
		case <-p.store.Doubt():
		}
		wasAble := next == presentEvery
		err := p.refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && wasAble:
			p.log.ErrorContext(ctx, "cannot store anything", slog.Any("error", err))
		case err == nil && !wasAble:
			p.log.InfoContext(ctx, "storing works again")
		}
		if next = presentEvery; err != nil {
			next = unableEvery
		}
	}
}

// refresh says that this instance is alive, and learns where the others listen.
// Error: that of Instances.Seen.
func (p *heartbeat) refresh(ctx context.Context) error {
	if own, err := listening(p.listener); err != nil {
		p.log.WarnContext(ctx, "cannot publish the addresses of this machine to the other instances", slog.Any("error", err))
	} else {
		p.row.Addresses = strings.Join(own, ",")
	}
	if err := p.store.Instances.Seen(ctx, p.row); err != nil {
		return err
	}
	if err := p.store.Sources.Flush(ctx); err != nil {
		p.log.WarnContext(ctx, "cannot store when sources last reported; retrying", slog.Any("error", err))
	}
	alive, err := p.store.Instances.Alive(ctx)
	if err != nil {
		p.log.DebugContext(ctx, "cannot read the addresses of the other instances", slog.Any("error", err))
		return nil // those of before stay in force
	}
	var all []netip.AddrPort
	for _, in := range alive {
		for text := range strings.SplitSeq(in.Addresses, ",") {
			if address, err := netip.ParseAddrPort(text); err == nil {
				all = append(all, address)
			}
		}
	}
	p.onAlive(all)
	return nil
}

// listening are the addresses at which a listener is reached: its own, or when
// it has none in particular all of this machine.
func listening(listener net.Addr) ([]string, error) {
	tcp, ok := listener.(*net.TCPAddr)
	if !ok {
		return nil, nil
	}
	at := tcp.AddrPort()
	if !at.Addr().IsUnspecified() {
		return []string{netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()}, nil
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var list []string
	for _, i := range interfaces {
		if prefix, err := netip.ParsePrefix(i.String()); err == nil {
			list = append(list, netip.AddrPortFrom(prefix.Addr().Unmap(), at.Port()).String())
		}
	}
	return list, nil
}

// stop takes the instance off the list. Should the database be away, others
// find out by themselves.
func (p *heartbeat) stop(ctx context.Context) {
	p.cancel()
	p.loop.Wait()
	if err := p.store.Sources.Flush(ctx); err != nil {
		p.log.DebugContext(ctx, "cannot store when sources last reported", slog.Any("error", err))
	}
	if err := p.store.Instances.Gone(ctx, p.row.ID); err != nil {
		p.log.DebugContext(ctx, "cannot record that this instance is stopping", slog.Any("error", err))
	}
}
