// net/http + franz-go: checks the signature, appends to Kafka with acks=all, answers when Kafka has answered.
// Run by bench/go_peer.py.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	secret := []byte(os.Getenv("WEBHOOK_SECRET"))
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"))) // acks=all, idempotent
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	http.HandleFunc("POST /webhooks/{kind}", func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(io.LimitReader(request.Body, 1<<20))
		if err != nil {
			http.Error(answer, "unreadable", http.StatusBadRequest)
			return
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(body)
		claimed, _ := hex.DecodeString(strings.ToLower(request.Header.Get("X-Webhook-Signature")))
		if !hmac.Equal(mac.Sum(nil), claimed) {
			http.Error(answer, "forged", http.StatusUnauthorized)
			return
		}
		var webhook struct {
			OrderID string `json:"orderId"`
		}
		if err := json.Unmarshal(body, &webhook); err != nil {
			http.Error(answer, "malformed", http.StatusBadRequest)
			return
		}
		record := &kgo.Record{Topic: "peer." + request.PathValue("kind"), Key: []byte(webhook.OrderID), Value: body}
		if err := client.ProduceSync(request.Context(), record).FirstErr(); err != nil {
			http.Error(answer, "try again", http.StatusServiceUnavailable)
			return
		}
		answer.Header().Set("Content-Type", "application/json")
		io.WriteString(answer, `{"status":"success"}`)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
