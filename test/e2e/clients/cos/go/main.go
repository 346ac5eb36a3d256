// cos-go-sdk-v5 through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.
//
// Arguments: host:port of the gateway, bucket. Credentials come from SECRET_ID and SECRET_KEY. The SDK checks the CRC-64 of
// what it sends and gets, and fails where an answer has none.
package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tencentyun/cos-go-sdk-v5"
)

const mib = 1024 * 1024

var (
	gateway = os.Args[1]
	bucket  = os.Args[2]
	port    = gateway[strings.LastIndex(gateway, ":")+1:]
	ctx     = context.Background()
	client  = connect(os.Getenv("SECRET_ID"), os.Getenv("SECRET_KEY"))
)

// Names under localhost are this machine's (RFC 6761), and not every resolver knows.
var transport = &http.Transport{
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, gateway)
	},
}

func connect(id, secret string) *cos.Client {
	service, _ := url.Parse("http://" + gateway)
	own, _ := url.Parse(fmt.Sprintf("http://%s.localhost:%s", bucket, port))
	return cos.NewClient(&cos.BaseURL{BucketURL: own, ServiceURL: service}, &http.Client{
		Transport: &cos.AuthorizationTransport{SecretID: id, SecretKey: secret, Transport: transport},
	})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func equal(actual, expected any) {
	if fmt.Sprint(actual) != fmt.Sprint(expected) {
		panic(fmt.Sprintf("%.300s is not %.300s", fmt.Sprint(actual), fmt.Sprint(expected)))
	}
}

func fails(status int, code string, err error) {
	var told *cos.ErrorResponse
	if !errors.As(err, &told) {
		panic(fmt.Sprintf("did not fail with %s: %v", code, err))
	}
	equal([]any{told.Response.StatusCode, told.Code}, []any{status, code})
	if told.Response.Header.Get("x-cos-request-id") == "" {
		panic("the error has no request id")
	}
}

func blob(size int, seed byte) []byte {
	sent := make([]byte, size)
	block := sha256.Sum256([]byte{seed})
	for at := range sent {
		sent[at] = block[at%32] ^ byte(at>>8)
	}
	return sent
}

func put(key string, body []byte, options *cos.ObjectPutOptions) *cos.Response {
	return must(client.Object.Put(ctx, key, bytes.NewReader(body), options))
}

func read(key string, options *cos.ObjectGetOptions) []byte {
	answer := must(client.Object.Get(ctx, key, options))
	defer answer.Body.Close()
	return must(io.ReadAll(answer.Body))
}

func headers(more *cos.ObjectPutHeaderOptions) *cos.ObjectPutOptions {
	return &cos.ObjectPutOptions{ObjectPutHeaderOptions: more}
}

func source(key string) string {
	return fmt.Sprintf("%s.cos.ap-guangzhou.myqcloud.com/%s", bucket, key)
}

type customer struct{ key, md5 string }

func customerKey(fill byte) customer {
	key := bytes.Repeat([]byte{fill}, 32)
	sum := md5.Sum(key)
	return customer{base64.StdEncoding.EncodeToString(key), base64.StdEncoding.EncodeToString(sum[:])}
}

var cases = []struct {
	name string
	run  func()
}{
	{"round trips", func() {
		for _, size := range []int{0, 1, 65535, 65536, 65537, 3*mib + 1} {
			sent, key := blob(size, 1), fmt.Sprint("size/", size)
			stored := put(key, sent, nil)
			head := must(client.Object.Head(ctx, key, nil))
			equal(head.Header.Get("ETag"), stored.Header.Get("ETag"))
			equal(head.ContentLength, size)
			equal(head.Header.Get("x-cos-hash-crc64ecma"), stored.Header.Get("x-cos-hash-crc64ecma"))
			equal(bytes.Equal(read(key, nil), sent), true)
		}
	}},
	{"keys", func() {
		names := []string{"a b+c!'()*~=&中.txt", "dir/o 1.txt", "~x", "per%cent", "?q#h", "ü/ä"}
		for _, name := range names {
			put(name, []byte(name), nil)
			equal(string(read(name, nil)), name)
			equal(must(client.Object.IsExist(ctx, name)), true)
		}
		_, err := client.Object.Put(ctx, strings.Repeat("x", 851), strings.NewReader("x"), nil)
		fails(400, "KeyTooLong", err)
		// Stores that keep keys as paths of files have no such key, and nothing else is made of it.
		_, err = client.Object.Put(ctx, "a//b", strings.NewReader("x"), nil)
		fails(400, "InvalidObjectName", err)
		listed, _, err := client.Bucket.Get(ctx, &cos.BucketGetOptions{EncodingType: "url"})
		must(listed, err)
		found := map[string]bool{}
		for _, entry := range listed.Contents {
			found[must(url.QueryUnescape(strings.ReplaceAll(entry.Key, "+", "%2B")))] = true
		}
		for _, name := range names {
			equal(found[name], true)
			must(client.Object.Delete(ctx, name))
			equal(must(client.Object.IsExist(ctx, name)), false)
		}
	}},
	{"metadata and overrides", func() {
		meta := http.Header{}
		meta.Add("x-cos-meta-owner", "somebody")
		put("meta", []byte("x"), headers(&cos.ObjectPutHeaderOptions{
			ContentType: "text/csv", CacheControl: "max-age=60", XCosMetaXXX: &meta,
		}))
		head := must(client.Object.Head(ctx, "meta", nil)).Header
		equal([]string{head.Get("Content-Type"), head.Get("Cache-Control"), head.Get("x-cos-meta-owner")},
			[]string{"text/csv", "max-age=60", "somebody"})
		got := must(client.Object.Get(ctx, "meta", &cos.ObjectGetOptions{ResponseContentType: "text/html"}))
		equal(got.Header.Get("Content-Type"), "text/html")
	}},
	{"ranges and conditions", func() {
		sent := blob(200_000, 7)
		etag := put("range", sent, nil).Header.Get("ETag")
		part := read("range", &cos.ObjectGetOptions{Range: "bytes=65530-65545"})
		equal(bytes.Equal(part, sent[65530:65546]), true)
		_, err := client.Object.Get(ctx, "range", &cos.ObjectGetOptions{Range: "bytes=200000-"})
		fails(416, "InvalidRange", err)
		_, err = client.Object.Get(ctx, "range", &cos.ObjectGetOptions{
			XOptionHeader: &http.Header{"If-Match": []string{`"other"`}},
		})
		fails(412, "PreconditionFailed", err)
		equal(len(read("range", &cos.ObjectGetOptions{XOptionHeader: &http.Header{"If-Match": []string{etag}}})), 200_000)
	}},
	{"errors", func() {
		_, err := client.Object.Get(ctx, "absent", nil)
		fails(404, "NoSuchKey", err)
		equal(cos.IsNotFoundError(err), true)
		_, err = client.Object.Head(ctx, "absent", nil)
		fails(404, "", err)
		_, err = connect(os.Getenv("SECRET_ID"), "another").Object.Put(ctx, "k", strings.NewReader("x"), nil)
		fails(403, "SignatureDoesNotMatch", err)
		_, err = connect("AKIDNOBODY", "another").Object.Put(ctx, "k", strings.NewReader("x"), nil)
		fails(403, "InvalidAccessKeyId", err)
		_, _, err = client.Object.Append(ctx, "a", 0, strings.NewReader("x"), nil)
		fails(501, "NotImplemented", err)
		_, _, err = client.Bucket.GetLifecycle(ctx)
		fails(501, "NotImplemented", err)
	}},
	{"lists", func() {
		for _, name := range []string{"a/1", "a/2", "b c/1", "c", "d"} {
			put("list/"+name, []byte("0123456789"), nil)
		}
		page, _, err := client.Bucket.Get(ctx, &cos.BucketGetOptions{Prefix: "list/", Delimiter: "/", MaxKeys: 2})
		must(page, err)
		equal(page.CommonPrefixes, []string{"list/a/", "list/b c/"})
		equal(page.IsTruncated, true)
		rest, _, err := client.Bucket.Get(ctx, &cos.BucketGetOptions{Prefix: "list/", Delimiter: "/", Marker: page.NextMarker})
		must(rest, err)
		equal([]any{rest.Contents[0].Key, rest.Contents[0].Size, rest.Contents[1].Key}, []any{"list/c", 10, "list/d"})
		folder, _, err := client.Bucket.Get(ctx, &cos.BucketGetOptions{Prefix: "list/b c/", Delimiter: "/"})
		equal(must(folder, err).Contents[0].Key, "list/b c/1")
		versions, _, err := client.Bucket.GetObjectVersions(ctx, &cos.BucketGetObjectVersionsOptions{Prefix: "list/a/"})
		equal(must(versions, err).Version[0].Key, "list/a/1")
	}},
	{"deletes many", func() {
		put("many/1", []byte("x"), nil)
		put("many/ü&<", []byte("x"), nil)
		told, _, err := client.Object.DeleteMulti(ctx, &cos.ObjectDeleteMultiOptions{
			Objects: []cos.Object{{Key: "many/1"}, {Key: "many/ü&<"}, {Key: "many/none"}},
		})
		equal(len(must(told, err).DeletedObjects), 3)
	}},
	{"copies", func() {
		sent := blob(70_000, 9)
		put("from/中 a+b", sent, headers(&cos.ObjectPutHeaderOptions{ContentType: "text/plain"}))
		copied, answer, err := client.Object.Copy(ctx, "to/1", source("from/中 a+b"), nil)
		must(copied, err)
		head := must(client.Object.Head(ctx, "to/1", nil)).Header
		equal([]string{copied.ETag, copied.CRC64}, []string{head.Get("ETag"), answer.Header.Get("x-cos-hash-crc64ecma")})
		equal(bytes.Equal(read("to/1", nil), sent), true)
		_, _, err = client.Object.Copy(ctx, "to/2", source("to/1"), &cos.ObjectCopyOptions{
			ObjectCopyHeaderOptions: &cos.ObjectCopyHeaderOptions{
				XCosMetadataDirective: "Replaced", ContentType: "text/html", XCosServerSideEncryption: "AES256",
			},
		})
		must(0, err)
		equal(must(client.Object.Head(ctx, "to/2", nil)).Header.Get("Content-Type"), "text/html")
		_, _, err = client.Object.Copy(ctx, "to/3", source("to/1"), &cos.ObjectCopyOptions{
			ObjectCopyHeaderOptions: &cos.ObjectCopyHeaderOptions{XCosCopySourceIfMatch: `"other"`},
		})
		fails(412, "PreconditionFailed", err)
		_, _, err = client.Object.Copy(ctx, "to/3", source("absent"), nil)
		fails(404, "NoSuchKey", err)
	}},
	{"uploads in parts", func() {
		sent := blob(2*mib+5, 11)
		started, _, err := client.Object.InitiateMultipartUpload(ctx, "parts/中 1", nil)
		upload := must(started, err).UploadID
		done := &cos.CompleteMultipartUploadOptions{}
		for number := 1; number <= 3; number++ {
			body := sent[(number-1)*mib : min(number*mib, len(sent))]
			part := must(client.Object.UploadPart(ctx, "parts/中 1", upload, number, bytes.NewReader(body), nil))
			done.Parts = append(done.Parts, cos.Object{PartNumber: number, ETag: part.Header.Get("ETag")})
		}
		listed, _, err := client.Object.ListParts(ctx, "parts/中 1", upload, nil)
		equal([]any{len(must(listed, err).Parts), listed.Parts[2].Size}, []any{3, 5})
		uploads, _, err := client.Bucket.ListMultipartUploads(ctx, &cos.ListMultipartUploadsOptions{Prefix: "parts/中 1"})
		equal(must(uploads, err).Uploads[0].UploadID, upload)
		completed, _, err := client.Object.CompleteMultipartUpload(ctx, "parts/中 1", upload, done)
		head := must(client.Object.Head(ctx, "parts/中 1", nil)).Header
		equal(must(completed, err).ETag, head.Get("ETag"))
		equal(bytes.Equal(read("parts/中 1", nil), sent), true)
		_, err = client.Object.AbortMultipartUpload(ctx, "parts/中 1", upload)
		fails(404, "NoSuchUpload", err)
	}},
	{"helpers", func() {
		folder := must(os.MkdirTemp("", "cos-go-"))
		defer os.RemoveAll(folder)
		path, back, sent := filepath.Join(folder, "up"), filepath.Join(folder, "down"), blob(4*mib+3, 17)
		must(0, os.WriteFile(path, sent, 0o600))
		_, _, err := client.Object.Upload(ctx, "helper/file", path, &cos.MultiUploadOptions{PartSize: 1, ThreadPoolSize: 3})
		must(0, err)
		equal(bytes.Equal(read("helper/file", nil), sent), true)
		must(client.Object.Download(ctx, "helper/file", back, &cos.MultiDownloadOptions{PartSize: 1, ThreadPoolSize: 3}))
		equal(bytes.Equal(must(os.ReadFile(back)), sent), true)
		must(client.Object.PutFromFile(ctx, "helper/whole", path, nil))
		equal(bytes.Equal(read("helper/whole", nil), sent), true)
	}},
	{"encryption", func() {
		put("sse/kms", []byte("x"), headers(&cos.ObjectPutHeaderOptions{
			XCosServerSideEncryption: "cos/kms", XOptionHeader: &http.Header{"X-Cos-Server-Side-Encryption-Cos-Kms-Key-Id": []string{"orders"}},
		}))
		head := must(client.Object.Head(ctx, "sse/kms", nil)).Header
		equal(head.Get("x-cos-server-side-encryption-cos-kms-key-id"), "orders")
		one, two := customerKey(1), customerKey(2)
		put("ssec", []byte("x"), headers(&cos.ObjectPutHeaderOptions{
			XCosSSECustomerAglo: "AES256", XCosSSECustomerKey: one.key, XCosSSECustomerKeyMD5: one.md5,
		}))
		with := func(key customer) *cos.ObjectGetOptions {
			return &cos.ObjectGetOptions{XCosSSECustomerAglo: "AES256", XCosSSECustomerKey: key.key, XCosSSECustomerKeyMD5: key.md5}
		}
		equal(string(read("ssec", with(one))), "x")
		_, err := client.Object.Get(ctx, "ssec", with(two))
		fails(400, "SsecDecryptHeaderInvalid", err)
		_, err = client.Object.Get(ctx, "ssec", nil)
		fails(400, "SsecDecryptHeaderInvalid", err)
		must(client.Bucket.PutEncryption(ctx, &cos.BucketPutEncryptionOptions{
			Rule: &cos.BucketEncryptionConfiguration{SSEAlgorithm: "KMS", KMSMasterKeyID: "orders"},
		}))
		rule, _, err := client.Bucket.GetEncryption(ctx)
		equal([]string{must(rule, err).Rule.SSEAlgorithm, rule.Rule.KMSMasterKeyID}, []string{"KMS", "orders"})
		must(client.Bucket.DeleteEncryption(ctx))
	}},
	{"URLs", func() {
		put("signed/o 1", []byte("x"), nil)
		get := func(address *url.URL) (int, string) {
			answer := must((&http.Client{Transport: transport}).Get(address.String()))
			defer answer.Body.Close()
			return answer.StatusCode, string(must(io.ReadAll(answer.Body)))
		}
		signed := must(client.Object.GetPresignedURL3(ctx, http.MethodGet, "signed/o 1", time.Hour, nil))
		status, body := get(signed)
		equal([]any{status, body}, []any{200, "x"})
		more := *signed
		more.RawQuery += "&acl"
		status, _ = get(&more)
		equal(status, 403)
	}},
	{"buckets", func() {
		all, _, err := client.Service.Get(ctx)
		equal(strings.Contains(fmt.Sprint(must(all, err).Buckets), bucket), true)
		equal(must(client.Bucket.IsExist(ctx)), true)
		_, err = client.Bucket.Put(ctx, nil)
		fails(409, "BucketAlreadyOwnedByYou", err)
		_, err = client.Bucket.Delete(ctx)
		fails(409, "BucketNotEmpty", err)
		acl, _, err := client.Bucket.GetACL(ctx)
		equal(must(acl, err).AccessControlList[0].Permission, "FULL_CONTROL")
	}},
}

func try(name string, run func()) {
	told := map[string]any{"case": name, "ok": true}
	defer func() {
		if failure := recover(); failure != nil {
			told["ok"], told["error"] = false, fmt.Sprintf("%.600s", fmt.Sprint(failure))
		}
		fmt.Println(string(must(json.Marshal(told))))
	}()
	run()
}

func main() {
	if _, err := client.Bucket.Put(ctx, nil); err != nil && !strings.Contains(err.Error(), "BucketAlreadyOwnedByYou") {
		panic(err)
	}
	for _, each := range cases {
		try(each.name, each.run)
	}
}
