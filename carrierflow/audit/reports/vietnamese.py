"""What the pages say in Vietnamese: each text by its English, each code by itself."""

from __future__ import annotations

from collections.abc import Mapping


__all__ = ["TEXTS", "UNITS", "WORDS"]

UNITS: Mapping[str, str] = {"d": "ngày", "h": "giờ", "min": "phút", "s": "giây"}

TEXTS: Mapping[str, str] = {
    # The frame.
    "Made by carrierflow from the ledger's own history. Times are Vietnam's (UTC+7). "
    "This page loads nothing and runs nothing.": (
        "carrierflow lập từ chính lịch sử trong sổ cái. Giờ là giờ Việt Nam (UTC+7). "
        "Trang này không tải gì và không chạy gì."
    ),
    "Delivery and cash report": "Báo cáo giao hàng và thu hộ",
    "Shop {shop}": "Cửa hàng {shop}",
    "All shops": "Tất cả cửa hàng",
    "{about}, as of {at}. Made {made}.": "{about}, tính đến {at}. Lập lúc {made}.",
    "Made {made}.": "Lập lúc {made}.",
    "none": "không có",
    "never": "chưa bao giờ",
    "{count} parcels": "{count} vận đơn",
    # The figures at the head.
    "Parcels known": "Vận đơn đã biết",
    "in the ledger": "trong sổ cái",
    "Cash held": "Tiền đang giữ",
    "of {count} parcels": "của {count} vận đơn",
    "Drift open": "Sai lệch chưa xử lý",
    "{count} frozen": "{count} đang đóng băng",
    "Checked within {hours} h": "Đã đối soát trong {hours} giờ",
    "of {count} open parcels": "trên {count} vận đơn đang mở",
    # What a page rests on.
    "What this page rests on": "Căn cứ của trang này",
    "Whoever keeps the checkpoint can verify the history behind these figures, and make the page "
    "again.": (
        "Ai giữ điểm kiểm tra đều có thể xác minh lịch sử đằng sau các con số này và lập lại trang."
    ),
    "Checkpoint": "Điểm kiểm tra",
    "none: nothing is sealed, and this page rests on the database alone": (
        "không có: chưa niêm phong gì, trang này chỉ dựa vào cơ sở dữ liệu"
    ),
    "{origin}, {size} entries, sealed {sealed}": "{origin}, {size} mục, niêm phong lúc {sealed}",
    "Root": "Mã gốc",
    "Not sealed yet": "Chưa niêm phong",
    "{count} entries": "{count} mục",
    "Export (SHA-256 of SHA256SUMS)": "Bản xuất (SHA-256 của SHA256SUMS)",
    "{digest}, all of {size} entries": "{digest}, toàn bộ {size} mục",
    "{digest}, a part: {rows} of {size} entries": "{digest}, một phần: {rows} trên {size} mục",
    "Made with": "Lập bằng lệnh",
    # What happened.
    "What happened": "Những gì đã diễn ra",
    "Each arrow is a step; its number says how often the history holds it. Dashed arrows are steps "
    "that the lifecycle does not allow: corrections.": (
        "Mỗi mũi tên là một bước; con số cho biết lịch sử ghi bước đó bao nhiêu lần. Mũi tên đứt "
        "nét là bước mà vòng đời không cho phép: điều chỉnh."
    ),
    "Thicker is more often. A step that nobody took is grey.": (
        "Nét càng đậm, bước càng thường xảy ra. Bước chưa từng xảy ra có màu xám."
    ),
    "The lifecycle with the number of times that each step was taken": (
        "Vòng đời vận đơn với số lần của mỗi bước"
    ),
    "Machine": "Luồng",
    "Delivery": "Giao hàng",
    "Cash": "Thu hộ",
    "From": "Từ",
    "To": "Đến",
    "Taken": "Số lần",
    "Inferred": "Suy ra",
    "Corrections": "Điều chỉnh",
    # Where parcels stood.
    "Where parcels stood": "Vận đơn ở đâu",
    "Known counts what had been recorded by then. Was counts what had occurred by then, by all "
    "that is known now: late scans and corrections included.": (
        "Cột đã biết tính những gì đã ghi nhận đến lúc đó. Cột thực tế tính những gì đã xảy ra đến "
        "lúc đó theo mọi điều biết được hiện nay, kể cả lượt quét muộn và điều chỉnh."
    ),
    "Status": "Trạng thái",
    "As it was known": "Đã biết",
    "As it was": "Thực tế",
    "Difference": "Chênh lệch",
    # Cash.
    "Cash collected and not remitted": "Tiền thu hộ chưa trả shop",
    "Cash collected and not remitted, by age": "Tiền thu hộ chưa trả shop, theo tuổi",
    "{amount} of {count} parcels, by the days since it was collected. Every amount is the sum of "
    "its parcels.": (
        "{amount} của {count} vận đơn, theo số ngày từ khi thu. Mỗi số tiền là tổng của các vận "
        "đơn trong đó."
    ),
    "Hatched: a week or older.": "Gạch chéo: từ một tuần trở lên.",
    "{days} days": "{days} ngày",
    "{first} to {last} days": "{first} đến {last} ngày",
    "{days} days and more": "{days} ngày trở lên",
    "Shop": "Cửa hàng",
    "Collected": "Đã thu được",
    "Parcels": "Vận đơn",
    "Amount": "Số tiền",
    "All": "Tất cả",
    "No cash is held.": "Không giữ tiền nào.",
    "To collect: {before} → {after}.": "Tiền phải thu: {before} → {after}.",
    "Tracking number: {before} → {after}.": "Mã vận đơn: {before} → {after}.",
    "All cash on delivery, by whose it is": "Toàn bộ tiền thu hộ, theo bên được nhận",
    "to collect": "còn phải thu",
    "held for the shop": "đang giữ cho shop",
    "remitted": "đã trả shop",
    "owed back": "phải hoàn lại khách",
    "not collected": "không thu được",
    "No parcel has cash to collect.": "Không vận đơn nào có tiền thu hộ.",
    # Time at each status.
    "Time at each status": "Thời gian ở mỗi trạng thái",
    "How long parcels stayed at each status": "Vận đơn ở mỗi trạng thái bao lâu",
    "How long parcels stayed before the next step: half of them no longer than the dot, 95 of 100 "
    "no longer than the stroke. The scale grows by multiples.": (
        "Vận đơn chờ bao lâu trước bước kế tiếp: một nửa không lâu hơn dấu chấm, 95 trên 100 không "
        "lâu hơn vạch đứng. Thang đo tăng theo bội số."
    ),
    "Unclear stays have no length: a step that nobody scanned, or a correction, began or ended "
    "them.": (
        "Lượt không rõ thì không có độ dài: bắt đầu hoặc kết thúc bằng một bước không ai quét hay "
        "một điều chỉnh."
    ),
    "Stays": "Số lượt",
    "Half within": "Một nửa trong",
    "95 of 100 within": "95 trên 100 trong",
    "Longest": "Lâu nhất",
    "Unclear": "Không rõ",
    "No stay has ended yet.": "Chưa lượt nào kết thúc.",
    # Drift.
    "Drift over time": "Sai lệch theo thời gian",
    "The two sides were never found apart.": "Hai bên chưa từng bị phát hiện lệch nhau.",
    "Drift found and healed over time": "Sai lệch được phát hiện và được xử lý theo thời gian",
    "{found} times the platform and the ledger were found apart, or may have been; {healed} "
    "healed, {open} are open, of which {frozen} wait for a person.": (
        "{found} lần sàn và sổ cái bị phát hiện lệch nhau, hoặc có thể đã lệch; {healed} đã xử lý, "
        "{open} còn mở, trong đó {frozen} chờ người quyết định."
    ),
    "found": "phát hiện",
    "healed": "đã xử lý",
    "open at the end": "còn mở cuối kỳ",
    "{count} open": "còn {count}",
    "The line is what was open at the end of each day, week or month.": (
        "Đường nối là số còn mở cuối mỗi ngày, tuần hoặc tháng."
    ),
    "Kind": "Loại",
    "Found": "Phát hiện",
    "Healed": "Đã xử lý",
    "Open": "Còn mở",
    "Frozen": "Đóng băng",
    "Half healed within": "Một nửa xử lý trong",
    # Coverage.
    "How well the open parcels are known": "Mức độ đối soát",
    "{verified} of {open} open parcels were read from the platform and compared within the last "
    "{hours} hours. This is as of now: looks have no past.": (
        "{verified} trên {open} vận đơn đang mở đã được đọc từ sàn và so sánh trong {hours} giờ "
        "qua. Đây là lúc này: lượt xem không lưu quá khứ."
    ),
    "Open parcels by their last look": "Vận đơn đang mở theo lần xem cuối",
    "Hatched: longer ago than they should be.": "Gạch chéo: lâu hơn mức cho phép.",
    "Never looked at": "Chưa xem lần nào",
    "Looked at {hours} hours ago or longer": "Xem từ {hours} giờ trước trở lên",
    "Looked at {first} to {last} hours ago": "Xem {first} đến {last} giờ trước",
    "Oldest look": "Lần xem cũ nhất",
    "Checked": "Đã đối soát",
    "Never": "Chưa xem",
    "Incidents": "Sự cố",
    "No shop is connected.": "Chưa kết nối cửa hàng nào.",
    "Fulfillment": "Mã vận đơn",
    "Looked at": "Xem lúc",
    "Waiting longest": "Chờ lâu nhất",
    "No parcel is open.": "Không có vận đơn nào đang mở.",
    # What people changed.
    "What people changed": "Những gì con người đã thay đổi",
    "{every} corrections, steps by hand and decisions.": (
        "{every} điều chỉnh, bước ghi tay và quyết định."
    ),
    "{every} corrections, steps by hand and decisions; the latest {count} are listed.": (
        "{every} điều chỉnh, bước ghi tay và quyết định; liệt kê {count} mục mới nhất."
    ),
    "Recorded": "Ghi nhận",
    "What": "Việc gì",
    "Who": "Ai",
    "Why": "Vì sao",
    "Approved by": "Người duyệt",
    "Nobody changed anything by hand.": "Không ai thay đổi gì bằng tay.",
    "{action}, incident {number}": "{action}, sự cố {number}",
    # One parcel.
    "Parcel {parcel}": "Vận đơn {parcel}",
    "Shop {shop}, order {order}.": "Cửa hàng {shop}, đơn hàng {order}.",
    "Shop {shop}, order {order}, tracking number {waybill}.": (
        "Cửa hàng {shop}, đơn hàng {order}, mã theo dõi {waybill}."
    ),
    "Platform": "Sàn",
    "Platform shows": "Sàn đang hiện",
    "not frozen": "không đóng băng",
    "frozen: {kind}": "đóng băng: {kind}",
    "Not shown there yet": "Sàn chưa hiện",
    "steps": "bước",
    "At a glance": "Tổng quan",
    "The parcel's steps in their order, and when the platform showed each": (
        "Các bước của vận đơn theo thứ tự, và lúc sàn hiện từng bước"
    ),
    "Filled: scanned. Hollow: inferred, or recorded by rule. Square: a correction. Times are when "
    "each step occurred; below, when the platform was known to show it, and + how long that was "
    "after the step was recorded.": (
        "Đặc: đã quét. Rỗng: suy ra, hoặc ghi theo quy tắc. Vuông: điều chỉnh. Giờ là lúc bước xảy "
        "ra; bên dưới là lúc biết sàn đã hiện, và + bao lâu sau khi bước được ghi nhận."
    ),
    "not shown yet": "chưa hiện",
    "from the start": "từ đầu",
    "Every trace": "Toàn bộ dấu vết",
    "In the order in which it was recorded. D is the delivery, C the cash, P the platform, H a "
    "person.": "Theo thứ tự ghi nhận. G là giao hàng, T là thu hộ, S là sàn, N là người.",
    "DCPH": "GTSN",
    "Occurred": "Xảy ra",
    "Who and why": "Ai và vì sao",
    "Corrects entry {entry}: {step}": "Sửa mục {entry}: {step}",
    "{step} Inferred: its scan is missing.": "{step} Suy ra: thiếu lượt quét.",
    "{step} Recorded because of {cause}.": "{step} Ghi nhận do {cause}.",
    "The platform is told {status}, attempt {number}.": "Báo sàn: {status}, lần {number}.",
    "{told} No result is on record.": "{told} Chưa ghi nhận kết quả.",
    "Attempt {number}: {answer}{code}.": "Lần {number}: {answer}{code}.",
    "The platform is known to show {entry} ({state}).": "Đã biết sàn hiện {entry} ({state}).",
    "The platform shows {delivery} and {cash}.": "Sàn hiện {delivery} và {cash}.",
    "{shown} The order is cancelled.": "{shown} Đơn hàng đã hủy.",
    "Incident {number}: {sentence}": "Sự cố {number}: {sentence}",
}

WORDS: Mapping[str, str] = {
    # Traces of a parcel.
    "accepted": "chấp nhận",
    "duplicate": "trùng",
    "late": "muộn",
    "refused": "từ chối",
    "told": "báo sàn",
    "answered": "trả lời",
    "confirmed": "xác nhận",
    "seen": "nhìn thấy",
    "incident": "sự cố",
    "decision": "quyết định",
    "revision": "thỏa thuận lại",
    "step": "bước ghi tay",
    "amendment": "điều chỉnh",
    # Sources.
    "carrier": "hãng vận chuyển",
    "platform": "sàn",
    "operator": "nhân viên",
    "rule": "quy tắc",
    # Outcomes and publications.
    "todo": "chưa báo",
    "sent": "đã gửi",
    "unknown": "không rõ",
    "subsumed": "đã bao gồm",
    "abandoned": "đã bỏ qua",
    "other_status": "trạng thái khác",
    "not_sent": "không gửi được",
    "unanswered": "không trả lời",
    "adopted": "lấy theo sàn",
    # Decisions.
    "unfreeze": "bỏ đóng băng",
    "adopt": "lấy theo sàn",
    "reassert": "báo lại",
    "abandon": "bỏ qua",
    "resume": "tiếp tục",
    # Kinds of incidents.
    "unknown_code": "mã lạ",
    "stuck": "không tiến triển",
    "cannot_be_told": "không báo được",
    "cash_disputed": "tranh chấp tiền",
    "cancelled_in_transit": "hủy khi đang giao",
    "cancel_conflict": "xung đột hủy",
    "remote_ahead": "sàn đi trước",
    "merchant_edit": "shop tự sửa",
    "diverged": "hai bên rẽ khác nhau",
    "gone": "biến mất trên sàn",
    "order_cancelled": "đơn hàng đã hủy",
    "unknown_here": "không có trong sổ",
    "cod_amount_differs": "lệch số tiền thu hộ",
    "timeline_differs": "lệch dòng thời gian",
    "unreadable": "không đọc được",
    "access_denied": "bị từ chối truy cập",
    "brake": "phanh an toàn",
}
"""What codes of ours are called; all others are somebody else's, and shown as they are."""
