package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// readyWithin is how long the question whether this instance can work may take.
const readyWithin = 5 * time.Second

// Health answers /healthz, /readyz and /metrics alone, for an instance that
// only works on jobs. The first says that the process answers, the second that
// it can also work. Why it cannot store anything is said in a few words without
// addresses; the rest stands in the log only, since anybody may ask.
func Health(ready func(ctx context.Context) error, metrics http.Handler, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := askReady(r.Context(), ready); err != nil {
			log.WarnContext(r.Context(), "not ready", "error", err)
			text := "not ready"
			if why := models.Unable(err); why != "" {
				text += ": " + why
			}
			plain(w, http.StatusServiceUnavailable, text)
			return
		}
		plain(w, http.StatusOK, "ready")
	})
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	return mux
}

func askReady(ctx context.Context, ready func(ctx context.Context) error) error {
	if ready == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return ready(ctx)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // an error cannot be reported any more
}
