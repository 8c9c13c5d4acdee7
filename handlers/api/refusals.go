package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/repeat"
	"github.com/sitehooks/sitehooks/models"
)

// Names of the APIs, labels of metrics.
const (
	NameIngest      = "ingest"
	NameSuperOffice = "superoffice"
	NameManagement  = "management"
)

// Refused are the requests that an API refused for one reason since the start
// of this process, told by the newest.
type Refused struct {
	API, Reason string
	Times       int64
	At          time.Time // of the newest
	From        string    // its address group
	Token       string    // name of its token; empty: none that is valid
	Detail      string    // the message it got
}

// refusals counts refused requests and logs them, one line for each reason and
// minute. Its methods may be called from any goroutine.
type refusals struct {
	log *repeat.Log

	mu  sync.Mutex
	all map[[2]string]*Refused // by API and reason, of which there are few
}

// Note takes down that a request was refused.
func (a *Access) Note(api string, r *http.Request, token models.Token, rej *Refusal) {
	if rej.Reason == "" {
		return
	}
	one := Refused{API: api, Reason: rej.Reason, At: a.Now(), From: limit.AddressGroup(r.RemoteAddr), Token: tokenName(token), Detail: rej.first()}
	if a.Refused != nil {
		a.Refused(api, rej.Reason)
	}
	a.refusals.log.Warn(api+" "+rej.Reason, "requests refused",
		"api", api, "reason", rej.Reason, "token", one.Token, "from", one.From, "detail", one.Detail)
	a.refusals.mu.Lock()
	defer a.refusals.mu.Unlock()
	key := [2]string{api, rej.Reason}
	if before := a.refusals.all[key]; before != nil {
		one.Times = before.Times
	}
	one.Times++
	a.refusals.all[key] = &one
}

// Newest returns the requests refused since the start of this process, newest
// first.
func (a *Access) Newest() []Refused {
	a.refusals.mu.Lock()
	defer a.refusals.mu.Unlock()
	list := make([]Refused, 0, len(a.refusals.all))
	for _, one := range a.refusals.all {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b Refused) int { return b.At.Compare(a.At) })
	return list
}

// first is the message, followed by the first fault if there is one.
func (r *Refusal) first() string {
	if len(r.Errs) == 0 {
		return r.Detail
	}
	e := r.Errs[0]
	place := e.Field
	if e.Index != nil {
		place = strings.TrimSuffix(fmt.Sprintf("events[%d].%s", *e.Index, e.Field), ".")
	}
	return strings.TrimSpace(place + " " + e.Message)
}

// tokenName is a token's name for people.
func tokenName(t models.Token) string {
	if t.ID == 0 && t.Scope != "" {
		return "SITEHOOKS_INGEST_TOKEN"
	}
	return t.Name
}
