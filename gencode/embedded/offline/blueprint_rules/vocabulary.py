"""The entities that the rules know, by the words that name them, with their usual fields.

A block has the entity with its words, then its fields, NAME:LABEL:TYPE and flags (r required, u unique), then
the entities that each record belongs to (<), and those that it is in a many-to-many relation with (&).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownEntity:
    """`words`: a regular expression. `belongs_to`: entities that each of its records has one of, if they are
    there; `has_many`: those that it is in a many-to-many relation with."""

    name: str
    label: str
    words: re.Pattern[str]
    fields: tuple[str, ...]
    belongs_to: tuple[str, ...] = ()
    has_many: tuple[str, ...] = ()


_BLOCKS = r"""
User 用户 users?|accounts?|members? = 用户|会员|账号
  username:用户名:varchar(50):ru email:邮箱:varchar(100):ru phone:手机号:varchar(20)
  password_hash:密码摘要:varchar(255) status:状态:enum(active,disabled):r
  & Role
Role 角色 roles?|rbac = 角色|权限管理|权限控制
  name:角色名称:varchar(50):ru description:描述:varchar(255)
  & Permission
Permission 权限 permissions?|access control = 权限
  code:权限编码:varchar(100):ru name:权限名称:varchar(100):r
Customer 客户 customers?|clients? = 客户|顾客
  name:名称:varchar(100):r email:邮箱:varchar(100) phone:电话:varchar(20) address:地址:varchar(255)
Supplier 供应商 suppliers?|vendors? = 供应商
  name:名称:varchar(100):r contact:联系人:varchar(50) phone:电话:varchar(20)
Category 分类 categor(?:y|ies) = 分类|类别
  name:名称:varchar(100):ru description:描述:varchar(255)
Product 商品 products?|goods = 商品|产品
  name:名称:varchar(100):r code:编码:varchar(50):ru price:价格:decimal(12,2):r stock:库存:int:r
  description:描述:text
  < Category Supplier
Order 订单 orders? = 订单
  number:订单号:varchar(50):ru total:总金额:decimal(12,2):r
  status:状态:enum(pending,paid,shipped,completed,cancelled):r ordered_at:下单时间:datetime
  < Customer User
OrderItem 订单明细 order items?|line items?|orders? has items = 订单明细|订单项
  quantity:数量:int:r price:单价:decimal(12,2):r
  < Order Product
Cart 购物车 (?:shopping )?carts? = 购物车
  quantity:数量:int:r
  < User Product
Payment 支付 payments? = 支付|付款
  number:支付单号:varchar(50):ru amount:金额:decimal(12,2):r
  method:方式:enum(card,transfer,wallet):r paid_at:支付时间:datetime
  < Order
Invoice 发票 invoices? = 发票
  number:发票号:varchar(50):ru amount:金额:decimal(12,2):r issued_on:开票日期:date:r
  < Order Guest Customer
Warehouse 仓库 warehouses? = 仓库
  name:名称:varchar(100):r location:位置:varchar(255)
StockRecord 库存记录 inventory|stock records? = 库存管理|库存记录|出入库
  quantity:数量:int:r direction:方向:enum(inbound,outbound):r
  < Product Warehouse
Department 部门 departments? = 部门
  name:名称:varchar(100):ru description:描述:varchar(255)
Employee 员工 employees?|staff = 员工|职员
  number:工号:varchar(50):ru name:姓名:varchar(100):r email:邮箱:varchar(100) hired_on:入职日期:date
  < Department
Attendance 考勤 attendance = 考勤|打卡
  day:日期:date:r checked_in_at:签到时间:datetime checked_out_at:签退时间:datetime
  < Employee
LeaveRequest 请假 leave requests? = 请假|休假
  reason:原因:varchar(255):r starts_on:开始日期:date:r ends_on:结束日期:date:r
  status:状态:enum(pending,approved,rejected):r
  < Employee User
Project 项目 projects? = (?<!本)项目
  name:名称:varchar(100):r description:描述:text starts_on:开始日期:date ends_on:结束日期:date
  status:状态:enum(planned,active,completed):r
Task 任务 tasks?|to-?dos? = 任务|待办
  title:标题:varchar(200):r description:描述:text status:状态:enum(open,active,done):r
  due_on:截止日期:date
  < Project User
Article 文章 articles?|(?:blog )?posts? = 文章|博客|新闻
  title:标题:varchar(200):r content:内容:text:r published_at:发布时间:datetime
  < Category User
  & Tag
Tag 标签 tags? = 标签
  name:名称:varchar(50):ru
Comment 评论 comments?|reviews? = 评论|留言
  content:内容:text:r
  < Article Product User
Student 学生 students? = 学生|学员
  number:学号:varchar(50):ru name:姓名:varchar(100):r email:邮箱:varchar(100)
  & Course
Teacher 教师 teachers? = 教师|老师
  name:姓名:varchar(100):r email:邮箱:varchar(100)
Course 课程 courses? = 课程
  name:名称:varchar(100):r code:课程编号:varchar(50):ru credits:学分:int
  < Teacher
Reader 读者 library readers? = 读者
  number:读者证号:varchar(50):ru name:姓名:varchar(100):r phone:电话:varchar(20)
Book 图书 books?(?! (?:an?|classes|rooms?|tables?|appointments?|seats?|with)\b) = 图书|书籍
  title:书名:varchar(200):r isbn:ISBN:varchar(20):u author:作者:varchar(100) copies:册数:int
  < Category
Loan 借阅 loans?|borrowings? = 借阅
  borrowed_on:借出日期:date:r due_on:应还日期:date:r returned_on:归还日期:date
  < Book Reader User
Appointment 预约 appointments?|bookings?|reservations? = 预约|预订
  starts_at:开始时间:datetime:r ends_at:结束时间:datetime
  status:状态:enum(booked,completed,cancelled):r
  < Patient Doctor Guest Room Customer User
Device 设备 devices?|equipment = 设备|资产
  name:名称:varchar(100):r serial_number:序列号:varchar(100):ru
  status:状态:enum(in_use,idle,repair):r bought_on:购入日期:date
  < Department
Ticket 工单 tickets?|issues? = 工单|报修
  title:标题:varchar(200):r description:描述:text status:状态:enum(open,active,closed):r
  priority:优先级:enum(low,normal,high):r
  < User Device
Doctor 医生 doctors?|physicians? = 医生|医师
  number:工号:varchar(50):ru name:姓名:varchar(100):r title:职称:varchar(50) phone:电话:varchar(20)
  < Department
Patient 患者 patients? = 患者|病人
  number:病历号:varchar(50):ru name:姓名:varchar(100):r gender:性别:enum(male,female) born_on:出生日期:date
  phone:电话:varchar(20)
MedicalRecord 病历 medical records?|health records? = 病历|就诊记录
  visited_at:就诊时间:datetime:r diagnosis:诊断:text:r
  < Patient Doctor
Prescription 处方 prescriptions? = 处方
  number:处方号:varchar(50):ru content:内容:text:r issued_on:开具日期:date:r
  < Patient Doctor
Company 公司 companies = 公司客户|企业客户
  name:名称:varchar(200):r website:网站:varchar(255) phone:电话:varchar(20)
Contact 联系人 contacts = 联系人
  name:姓名:varchar(100):r email:邮箱:varchar(100) phone:电话:varchar(20)
  < Company Customer
Lead 线索 leads = 线索
  name:名称:varchar(200):r source:来源:varchar(100) status:状态:enum(open,qualified,lost):r
  < Company
Deal 商机 deals|opportunities = 商机|销售机会
  title:标题:varchar(200):r amount:金额:decimal(12,2)
  stage:阶段:enum(qualification,proposal,negotiation,won,lost):r closes_on:预计成交日期:date
  < Company Contact Customer
Activity 跟进记录 activities|follow-?ups? = 跟进|活动记录
  subject:主题:varchar(200):r kind:类型:enum(call,meeting,mail):r held_at:时间:datetime notes:备注:text
  < Deal Contact Customer User
RoomType 房型 room types? = 房型
  name:名称:varchar(100):ru price:价格:decimal(12,2):r capacity:可住人数:int:r
Room 客房 rooms? = 客房|房间|会议室
  number:房号:varchar(20):ru floor:楼层:int status:状态:enum(free,occupied,cleaning):r
  < RoomType
Guest 客人 guests? = 客人|住客
  name:姓名:varchar(100):r phone:电话:varchar(20) email:邮箱:varchar(100)
MembershipPlan 会员套餐 membership plans?|subscription plans? = 会员套餐|会员卡
  name:名称:varchar(100):ru price:价格:decimal(12,2):r months:月数:int:r
Trainer 教练 trainers?|coach(?:es)? = 教练
  name:姓名:varchar(100):r speciality:专长:varchar(100)
TrainingClass 团课 book classes|fitness classes|gym classes = 团课
  name:名称:varchar(100):r starts_at:开始时间:datetime:r capacity:人数上限:int:r
  < Trainer
SchoolClass 班级 school classes = 班级
  name:名称:varchar(100):ru year:年级:int
  < Teacher
Score 成绩 grades|exam scores? = 成绩
  value:分数:decimal(5,2):r remark:备注:varchar(255)
  < Student Course Exam
Exam 考试 exams?|examinations? = 考试
  name:名称:varchar(100):r starts_at:开始时间:datetime:r place:地点:varchar(100)
  < Course
Dish 菜品 dish(?:es)?|menu items? = 菜品|菜单
  name:名称:varchar(100):r price:价格:decimal(12,2):r is_available:是否在售:boolean
  < Category
DiningTable 餐桌 dining tables? = 餐桌|桌台
  number:桌号:varchar(20):ru seats:座位数:int:r status:状态:enum(free,occupied):r
Owner 业主 homeowners? = 业主
  name:姓名:varchar(100):r phone:电话:varchar(20):r
Building 楼栋 buildings? = 楼栋|楼宇
  name:名称:varchar(100):ru floors:层数:int
House 房屋 houses?|apartments? = 房屋|房源
  number:房号:varchar(50):r area:面积:decimal(10,2) price:价格:decimal(12,2) status:状态:enum(free,occupied):r
  < Building Owner
Bill 账单 bills? = 账单
  number:账单号:varchar(50):ru amount:金额:decimal(12,2):r due_on:截止日期:date is_paid:是否已缴:boolean
  < House Customer
ParkingSpace 停车位 parking (?:spaces?|lots?) = 停车位|车位
  number:编号:varchar(50):ru
  < Owner
Visitor 访客 visitors? = 访客
  name:姓名:varchar(100):r phone:电话:varchar(20) visited_at:来访时间:datetime:r
  < Owner
Contract 合同 contracts? = 合同
  number:合同编号:varchar(50):ru amount:金额:decimal(12,2) signed_on:签订日期:date ends_on:到期日期:date
  < Customer Supplier House
JobOpening 职位 job openings?|vacanc(?:y|ies) = 职位|招聘岗位
  title:名称:varchar(200):r description:描述:text status:状态:enum(open,closed):r
  < Department
Candidate 候选人 candidates? = 候选人|应聘者
  name:姓名:varchar(100):r email:邮箱:varchar(100) phone:电话:varchar(20)
JobApplication 应聘 job applications? = 应聘记录|投递
  applied_on:投递日期:date:r stage:阶段:enum(received,screening,interview,offer,rejected):r
  < JobOpening Candidate
Interview 面试 interviews? = 面试
  starts_at:时间:datetime:r score:评分:int feedback:评价:text
  < JobApplication Candidate
Vehicle 车辆 vehicles? = 车辆
  plate:车牌号:varchar(20):ru brand:品牌:varchar(50) model:型号:varchar(50) mileage:里程:int
Driver 司机 drivers? = 司机|驾驶员
  name:姓名:varchar(100):r licence:驾驶证号:varchar(50):ru phone:电话:varchar(20)
Trip 行程 trips? = 行程|出车
  starts_at:出发时间:datetime:r ends_at:到达时间:datetime start_mileage:出发里程:int end_mileage:到达里程:int
  < Vehicle Driver
FuelRecord 加油记录 fuel (?:records?|logs?)|refuel\\w* = 加油
  fuelled_at:时间:datetime:r litres:升数:decimal(10,2):r amount:金额:decimal(12,2):r
  < Vehicle Driver
MaintenanceRecord 维修记录 maintenance = 维修记录|保养
  done_on:日期:date:r content:内容:text:r cost:费用:decimal(12,2)
  < Vehicle Device
Survey 问卷 surveys?|questionnaires? = 问卷|调查
  title:标题:varchar(200):r description:描述:text is_open:是否开放:boolean
Question 问题 questions? = 题目|试题
  content:内容:varchar(500):r position:顺序:int
  < Survey
AnswerOption 选项 answer options?|answer choices? = 答案选项
  content:内容:varchar(255):r
  < Question
Speaker 讲者 speakers? = 讲者|演讲人|嘉宾
  name:姓名:varchar(100):r biography:简介:text
Attendee 参会者 attendees?|participants? = 参会者|参与者
  name:姓名:varchar(100):r email:邮箱:varchar(100):r
Notice 公告 notices?|announcements? = 公告|通知
  title:标题:varchar(200):r content:内容:text:r published_at:发布时间:datetime
  < User
"""
_FLOW_BLOCKS = """
logIn 登录 log ?in|sign ?in = 登录|登陆
  Find the user by name
  Compare the password with its digest
  Begin a session
  < User
register 注册 sign ?up|register|registration = 注册
  Check that name and email are free
  Store a digest of the password
  Create the user
  < User
approveRequest 审批 approv(?:e|al) = 审批|审核
  Check that the request is pending
  Store the decision and who made it
exportRecords 导出 exports? = 导出
  Read the records that match the filters
  Write them as a file
payOrder 支付订单 pay(?:s|ment)? (?:for )?(?:an? |the )?orders? = 订单支付|支付订单
  Check that the order is pending
  Record the payment
  Set the order to paid
  < Order
"""


def _words(text: str) -> re.Pattern[str]:
    """English words stand alone; Chinese ones have no boundaries."""
    english, _, chinese = text.partition(" = ")
    return re.compile(rf"\b(?:{english})\b|{chinese}", re.IGNORECASE)


def _blocks(text: str) -> Iterator[tuple[str, str, str, list[str]]]:
    """Name, label, words, and the lines that follow."""
    for block in re.split(r"\n(?=\S)", text.strip()):
        head, *lines = block.split("\n")
        name, label, words = head.split(" ", 2)
        yield name, label, words, [line.strip() for line in lines]


def _after(mark: str, lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for line in lines if line.startswith(mark) for word in line.split()[1:])


def _entities() -> Iterator[KnownEntity]:
    for name, label, words, lines in _blocks(_BLOCKS):
        yield KnownEntity(
            name=name,
            label=label,
            words=_words(words),
            fields=tuple(field for line in lines if line[0] not in "<&" for field in line.split()),
            belongs_to=_after("<", lines),
            has_many=_after("&", lines),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownFlow:
    name: str
    label: str
    words: re.Pattern[str]
    entity: str
    steps: tuple[str, ...]


def _flows() -> Iterator[KnownFlow]:
    for name, label, words, lines in _blocks(_FLOW_BLOCKS):
        yield KnownFlow(
            name=name,
            label=label,
            words=_words(words),
            entity=" ".join(_after("<", lines)),
            steps=tuple(line for line in lines if line[0] != "<"),
        )


ENTITIES = MappingProxyType({one.name: one for one in _entities()})
FLOWS = MappingProxyType({one.name: one for one in _flows()})


def fields_of(entity: KnownEntity, *, chinese: bool) -> list[dict[str, Any]]:
    return [_field(one, chinese=chinese) for one in entity.fields]


def _field(text: str, *, chinese: bool) -> dict[str, Any]:
    name, label, type_, *flags = text.split(":")
    field: dict[str, Any] = {"name": name, "type": type_}
    if chinese:
        field["label"] = label
    marks = flags[0] if flags else ""
    return field | ({"required": True} if "r" in marks else {}) | ({"unique": True} if "u" in marks else {})
