// The Go SDK of OSS (v2) through the gateway: every case prints one JSON line, {"case": …, "ok": …, "error": …}.
//
// Arguments: endpoint, bucket, version of the signature (v1, v4). Credentials come from OSS_ACCESS_KEY_ID and
// OSS_ACCESS_KEY_SECRET.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
)

var (
	endpoint, bucket, version = os.Args[1], os.Args[2], os.Args[3]
	ctx                       = context.Background()
	client                    = connect(os.Getenv("OSS_ACCESS_KEY_ID"), os.Getenv("OSS_ACCESS_KEY_SECRET"))
)

func connect(id, secret string) *oss.Client {
	signature := oss.SignatureVersionV4
	if version == "v1" {
		signature = oss.SignatureVersionV1
	}
	return oss.NewClient(oss.LoadDefaultConfig().
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(id, secret)).
		WithRegion("cn-hangzhou").WithEndpoint(endpoint).WithSignatureVersion(signature).WithRetryMaxAttempts(1))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func equal(actual, expected any) {
	if a, e := fmt.Sprint(actual), fmt.Sprint(expected); a != e {
		panic(fmt.Sprintf("%.300s is not %.300s", a, e))
	}
}

func fails(status int, code string, err error) {
	var service *oss.ServiceError
	if !errors.As(err, &service) {
		panic(fmt.Sprintf("did not fail with %s: %v", code, err))
	}
	equal([]any{service.StatusCode, service.Code}, []any{status, code})
}

func blob(size int) []byte {
	return bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), size/36+1)[:size]
}

func put(key string, body []byte) *oss.PutObjectResult {
	return must(client.PutObject(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: bytes.NewReader(body)}))
}

func get(key string, change func(*oss.GetObjectRequest)) (int, []byte) {
	request := &oss.GetObjectRequest{Bucket: &bucket, Key: &key}
	if change != nil {
		change(request)
	}
	answer := must(client.GetObject(ctx, request))
	defer answer.Body.Close()
	return answer.StatusCode, must(io.ReadAll(answer.Body))
}

func read(key string) []byte {
	_, body := get(key, nil)
	return body
}

var cases = []struct {
	name string
	run  func()
}{
	{"round trips", func() {
		for _, size := range []int{0, 1, 65535, 65536, 65537, 1000001} {
			key := fmt.Sprintf("size/%d", size)
			stored := put(key, blob(size))
			head := must(client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: &bucket, Key: &key}))
			equal([]any{head.ContentLength, *head.ETag}, []any{size, *stored.ETag})
			equal(bytes.Equal(read(key), blob(size)), true)
		}
	}},
	{"keys", func() {
		for _, key := range []string{"a b+c!'()*~=&中.txt", "dir/o 1.txt", "per%cent", "?q#h"} {
			put(key, []byte(key))
			equal(string(read(key)), key)
			equal(must(client.IsObjectExist(ctx, bucket, key)), true)
			must(client.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: &bucket, Key: &key}))
			equal(must(client.IsObjectExist(ctx, bucket, key)), false)
		}
	}},
	{"ranges", func() {
		put("range", blob(1000))
		status, body := get("range", func(r *oss.GetObjectRequest) { r.Range = oss.Ptr("bytes=10-19") })
		equal([]any{status, string(body)}, []any{206, string(blob(1000)[10:20])})
		status, body = get("range", func(r *oss.GetObjectRequest) { r.Range = oss.Ptr("bytes=10-2000") })
		equal([]any{status, len(body)}, []any{200, 1000})
		status, body = get("range", func(r *oss.GetObjectRequest) {
			r.Range, r.RangeBehavior = oss.Ptr("bytes=10-2000"), oss.Ptr("standard")
		})
		equal([]any{status, len(body)}, []any{206, 990})
	}},
	{"lists", func() {
		for _, key := range []string{"list/a", "list/b b/1", "list/c+d"} {
			put(key, []byte("12345"))
		}
		var keys []string
		pages := client.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{Bucket: &bucket, Prefix: oss.Ptr("list/"), MaxKeys: 2})
		for pages.HasNext() {
			for _, object := range must(pages.NextPage(ctx)).Contents {
				keys = append(keys, *object.Key)
			}
		}
		equal(keys, []string{"list/a", "list/b b/1", "list/c+d"})
		page := must(client.ListObjects(ctx, &oss.ListObjectsRequest{Bucket: &bucket, Prefix: oss.Ptr("list/"), Delimiter: oss.Ptr("/")}))
		equal(*page.CommonPrefixes[0].Prefix, "list/b b/")
	}},
	{"deletes many", func() {
		put("many/1", []byte("x"))
		done := must(client.DeleteMultipleObjects(ctx, &oss.DeleteMultipleObjectsRequest{
			Bucket: &bucket, Objects: []oss.DeleteObject{{Key: oss.Ptr("many/1")}, {Key: oss.Ptr("many/2 +")}},
		}))
		equal(len(done.DeletedObjects), 2)
	}},
	{"copies", func() {
		put("copy/ü +", blob(1000))
		copied := must(client.CopyObject(ctx, &oss.CopyObjectRequest{Bucket: &bucket, Key: oss.Ptr("copied"), SourceKey: oss.Ptr("copy/ü +")}))
		head := must(client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: &bucket, Key: oss.Ptr("copied")}))
		equal(*head.ETag, *copied.ETag)
		must(client.NewCopier().Copy(ctx, &oss.CopyObjectRequest{Bucket: &bucket, Key: oss.Ptr("copied-2"), SourceKey: oss.Ptr("copied")}))
		equal(bytes.Equal(read("copied-2"), blob(1000)), true)
	}},
	{"uploads in parts", func() {
		sent := blob(350 * 1024)
		folder := must(os.MkdirTemp("", "oss-go-"))
		defer os.RemoveAll(folder)
		path := filepath.Join(folder, "file")
		must(0, os.WriteFile(path, sent, 0o600))
		uploader := client.NewUploader(func(o *oss.UploaderOptions) { o.PartSize, o.ParallelNum = 100*1024, 2 })
		must(uploader.UploadFile(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr("parts")}, path))
		downloader := client.NewDownloader(func(o *oss.DownloaderOptions) { o.PartSize = 100 * 1024 })
		must(downloader.DownloadFile(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: oss.Ptr("parts")}, path+".back"))
		equal(bytes.Equal(must(os.ReadFile(path+".back")), sent), true)
		started := must(client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: &bucket, Key: oss.Ptr("by hand")}))
		part := must(client.UploadPart(ctx, &oss.UploadPartRequest{
			Bucket: &bucket, Key: oss.Ptr("by hand"), UploadId: started.UploadId, PartNumber: 1, Body: bytes.NewReader(sent),
		}))
		listed := must(client.ListParts(ctx, &oss.ListPartsRequest{Bucket: &bucket, Key: oss.Ptr("by hand"), UploadId: started.UploadId}))
		equal([]any{len(listed.Parts), *listed.Parts[0].ETag, listed.Parts[0].Size}, []any{1, *part.ETag, len(sent)})
		must(client.AbortMultipartUpload(ctx, &oss.AbortMultipartUploadRequest{Bucket: &bucket, Key: oss.Ptr("by hand"), UploadId: started.UploadId}))
	}},
	{"encryption", func() {
		kms := &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr("kms"), Body: strings.NewReader("x"), ServerSideEncryption: oss.Ptr("KMS")}
		must(client.PutObject(ctx, kms))
		head := must(client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: &bucket, Key: oss.Ptr("kms")}))
		equal(*head.ServerSideEncryption, "KMS")
		_, err := client.PutObject(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: oss.Ptr("no"), Body: strings.NewReader("x"), ServerSideEncryption: oss.Ptr("SM4")})
		fails(400, "InvalidEncryptionAlgorithmError", err)
	}},
	{"signed URLs", func() {
		put("signed +", []byte("by a URL"))
		signed := must(client.Presign(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: oss.Ptr("signed +")}, oss.PresignExpires(time.Minute)))
		answer := must(http.Get(signed.URL))
		equal([]any{answer.StatusCode, string(must(io.ReadAll(answer.Body)))}, []any{200, "by a URL"})
		equal(must(http.Get(strings.Replace(signed.URL, "signed", "forged", 1))).StatusCode, 403)
	}},
	{"buckets", func() {
		other := bucket + "-second"
		equal(must(client.IsBucketExist(ctx, other)), false)
		must(client.PutBucket(ctx, &oss.PutBucketRequest{Bucket: &other}))
		equal(must(client.IsBucketExist(ctx, other)), true)
		info := must(client.GetBucketInfo(ctx, &oss.GetBucketInfoRequest{Bucket: &other}))
		equal(*info.BucketInfo.Name, other)
		must(client.DeleteBucket(ctx, &oss.DeleteBucketRequest{Bucket: &other}))
	}},
	{"errors", func() {
		ask := &oss.GetObjectRequest{Bucket: &bucket, Key: oss.Ptr("absent")}
		_, err := client.GetObject(ctx, ask)
		fails(404, "NoSuchKey", err)
		_, err = client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: &bucket, Key: oss.Ptr("absent")})
		fails(404, "NoSuchKey", err)
		_, err = connect(os.Getenv("OSS_ACCESS_KEY_ID"), "wrong").GetObject(ctx, ask)
		fails(403, "SignatureDoesNotMatch", err)
		_, err = connect("AKIDNOBODY", "wrong").GetObject(ctx, ask)
		fails(403, "InvalidAccessKeyId", err)
		_, err = client.GetBucketStat(ctx, &oss.GetBucketStatRequest{Bucket: &bucket})
		fails(501, "NotImplemented", err)
	}},
}

func attempt(run func()) (failure any) {
	defer func() { failure = recover() }()
	run()
	return nil
}

func main() {
	must(client.PutBucket(ctx, &oss.PutBucketRequest{Bucket: &bucket}))
	for _, each := range cases {
		failure := attempt(each.run)
		line := map[string]any{"case": each.name, "ok": failure == nil}
		if failure != nil {
			line["error"] = fmt.Sprint(failure)
		}
		fmt.Println(string(must(json.Marshal(line))))
	}
}
