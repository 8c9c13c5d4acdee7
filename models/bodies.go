package models

import (
	"bytes"
	"fmt"
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

// bodyColumns are those of a delivery d with its body; withPassage joins what
// they need. withBodies does the rest.
const (
	bodyColumns = ", d.body, d.payload_at, d.payload_bytes, substr(passage.payload, d.payload_at + 1, d.payload_bytes) as passage"
	withPassage = "left join events passage on passage.id = d.event_id and d.payload_bytes > 0"
)

// withBodies fills in what bodies have in common with others, or with the
// payloads of their events.
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
		switch {
		case d.BodyID != nil:
			deliveries[i].Shared = byID[*d.BodyID]
		case d.PayloadBytes == 0:
		case len(d.Passage) != int(d.PayloadBytes):
			return fmt.Errorf("delivery %d has %d bytes of its event's payload: %d are left", d.ID, d.PayloadBytes, len(d.Passage))
		default:
			deliveries[i].join()
		}
	}
	return nil
}

// writeBodiesOut gives the deliveries of an event, and of those merged into it,
// their passages of its payload, which is about to be erased.
func (s *Store) writeBodiesOut(tx *gorm.DB, event int64) error {
	var events, ids []int64
	if err := tx.Model(&dispatchedEvent{}).Where("merged_into = ?", event).Pluck("event_id", &events).Error; err != nil {
		return err
	}
	err := tx.Model(&Delivery{}).Where("payload_bytes > 0 and event_id is not null and "+s.db.InIDs("event_id"), db.JSON(append(events, event))).
		Pluck("id", &ids).Error
	if err != nil {
		return err
	}
	for _, id := range ids {
		var d Delivery
		if err := tx.Table("deliveries d").Joins(withPassage).Select("d.id"+bodyColumns).Limit(1).Find(&d, "d.id = ?", id).Error; err != nil {
			return err
		}
		if d.ID == 0 {
			continue // pruned meanwhile
		}
		body := bytes.Replace(d.Body, []byte{0}, d.Passage, 1)
		if err := tx.Model(&Delivery{}).Where("id = ?", id).Updates(map[string]any{"body": body, "payload_bytes": 0}).Error; err != nil {
			return err
		}
	}
	return nil
}

// join adds the passage of its event's payload, if the body has one.
func (d *Delivery) join() {
	if d.PayloadBytes > 0 {
		d.Shared, d.Body = &Body{Body: d.Body}, d.Passage
	}
}
