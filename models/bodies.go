package models

import (
	"runtime"
	"sync"
	"weak"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Body is the bytes that the bodies of several deliveries have in common.
type Body struct {
	ID   int64 // 0: it is not stored yet
	Body []byte
}

// bodyCache finds the bodies that are in memory already, so that the deliveries
// of many webhooks share them there too. It keeps none alive.
type bodyCache struct {
	mu   sync.Mutex
	live map[int64]weak.Pointer[Body]
}

func newBodyCache() *bodyCache { return &bodyCache{live: map[int64]weak.Pointer[Body]{}} }

// get returns a body that is in use; nil: it has to be read.
func (c *bodyCache) get(id int64) *Body {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live[id].Value()
}

// put adds a body that was read, and returns the one to be used.
func (c *bodyCache) put(b *Body) *Body {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.live[b.ID].Value(); known != nil {
		return known
	}
	c.live[b.ID] = weak.Make(b)
	runtime.AddCleanup(b, c.forget, b.ID)
	return b
}

func (c *bodyCache) forget(id int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live[id].Value() == nil {
		delete(c.live, id)
	}
}

// dropBodies removes those of these bodies that no delivery has any more, and
// that no rest will use.
func (s *Store) dropBodies(tx *gorm.DB, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.Exec("delete from bodies where "+s.db.InIDs("id")+` and not exists (select 1 from deliveries d where d.body_id = bodies.id)
		and not exists (select 1 from dispatch_rest r where r.body_id = bodies.id)`, db.JSON(ids)).Error
}

// withBodies fills in what bodies have in common.
func (s *Store) withBodies(tx *gorm.DB, deliveries []Delivery) error {
	byID := map[int64]*Body{}
	var missing []int64
	for _, d := range deliveries {
		if d.BodyID == nil {
			continue
		}
		if _, known := byID[*d.BodyID]; !known {
			if byID[*d.BodyID] = s.bodies.get(*d.BodyID); byID[*d.BodyID] == nil {
				missing = append(missing, *d.BodyID)
			}
		}
	}
	if len(missing) > 0 {
		var read []*Body
		if err := tx.Session(&gorm.Session{NewDB: true}).Find(&read, s.db.InIDs("id"), db.JSON(missing)).Error; err != nil {
			return err
		}
		for _, b := range read {
			byID[b.ID] = s.bodies.put(b)
		}
	}
	for i, d := range deliveries {
		if d.BodyID != nil {
			deliveries[i].Shared = byID[*d.BodyID]
		}
	}
	return nil
}
