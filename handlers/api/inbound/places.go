package inbound

import (
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/limit"
)

// Requests in work at once, and the bytes of their bodies together. Many senders
// never repeat a request, so as many wait as may come at once.
const (
	placesInAll = 256
	bytesInAll  = 32 << 20
	queueInAll  = 1024
	placeWait   = 10 * time.Second
	fairShare   = 8
)

// places are shared among address groups, before anything is asked of the
// database, and among sources.
type places struct {
	groups  *limit.Limiter
	sources api.Places
}

func newPlaces(memoryShare float64) places {
	conf := limit.Config{Places: placesInAll, Share: fairShare, Queue: queueInAll, Wait: placeWait}
	p := places{groups: limit.New(conf), sources: api.NewPlaces(placesInAll, bytesInAll, memoryShare)}
	p.sources.Most = MaxBody
	return p
}

// Of requests that are not verified a source keeps some at once, and then one a
// second: anybody can send them.
const (
	strangersAtOnce = 20
	strangersPause  = time.Second
	strangersMost   = 1000 // sources known
)

// strangers says which requests that are not verified are kept.
type strangers struct {
	mu   *sync.Mutex
	full map[string]time.Time // by source: when all its places are free again
}

func newStrangers() strangers { return strangers{&sync.Mutex{}, map[string]time.Time{}} }

func (s strangers) mayKeep(source string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.full) > strangersMost {
		clear(s.full)
	}
	free := s.full[source]
	if free.Before(now) {
		free = now
	}
	if free.Sub(now) > (strangersAtOnce-1)*strangersPause {
		return false
	}
	s.full[source] = free.Add(strangersPause)
	return true
}
